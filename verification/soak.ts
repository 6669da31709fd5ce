// No false alarms: random laws of all subjects for very many seeds, spread over processes. Each op
// is tried with one of its samples per seed, each larger subject with some of its laws, so that
// they take turns.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { opTable } from "@chronograd/autodiff/extend";
import { hold, type Law, opLaws } from "@chronograd/autodiff/testing";
import { wholeNumber } from "./flags.ts";
import type { Subject } from "./subject.ts";
import { subjects } from "./suite.ts";

const { values: flags } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    group: { type: "string", default: "" },
    worker: { type: "string" },
    out: { type: "string" },
  },
});
const seeds = wholeNumber("soak", "seeds", flags.seeds, 1);
const first = wholeNumber("soak", "seed", flags.seed);
const jobs = wholeNumber("soak", "jobs", flags.jobs, 1);
const wanted = new RegExp(flags.group);

/** Messages between processes: a seed is done, or a law is broken. */
interface Message {
  readonly laws: number;
  readonly cases: number;
  readonly failures: readonly { seed: number; subject: string; law: string; what: string }[];
}

/** Larger subjects take turns: each of their laws is tried for one seed in so many. */
const turns = 8;

/** Laws that do not depend on the seed are left to the other tests. */
const fixed = new Set(["errors", "edges"]);
const fixedGroups = /^(ops|PyTorch)/;

/** The ops, each as a list of subjects: one for each sample. */
function opsBySample(): (readonly [name: string, samples: Law[][]])[] {
  return opTable().map(({ name, declaration }) => [
    name,
    declaration.samples.map((sample) => opLaws({ ...declaration, samples: [sample] })),
  ]);
}

function work(offset: number): void {
  const ops = wanted.test("ops") ? opsBySample() : [];
  const others: Subject[] = subjects().filter(
    ({ group }) => wanted.test(group) && !fixedGroups.test(group),
  );
  for (let seed = first + offset; seed < first + seeds; seed += jobs) {
    const failures: Message["failures"][number][] = [];
    let [held, cases] = [0, 0];
    const tryLaw = (subject: string, law: Law) => {
      if (fixed.has(law.name)) return;
      const result = hold(law, { seed, runs: 1 });
      if (result === undefined) return;
      held++;
      cases += result.cases;
      if (!result.ok) failures.push({ seed, subject, law: law.name, what: result.what ?? "" });
    };
    for (const [name, samples] of ops) {
      for (const law of samples[seed % samples.length]!) tryLaw(name, law);
    }
    for (const { name, laws } of others) {
      for (const [i, law] of laws.entries()) if (i % turns === seed % turns) tryLaw(name, law);
    }
    console.log(JSON.stringify({ laws: held, cases, failures } satisfies Message));
  }
}

async function lead(): Promise<void> {
  const started = performance.now();
  const failures: Message["failures"][number][] = [];
  let [done, laws, cases] = [0, 0, 0];
  const minutes = () => (performance.now() - started) / 60_000;
  const tell = () =>
    `${done} of ${seeds} seeds, ${failures.length} failures, ${minutes().toFixed(1)} min`;
  const codes = Array.from({ length: jobs }, (_, offset) => {
    const args = [
      ...process.execArgv,
      process.argv[1]!,
      ...process.argv.slice(2),
      "--worker",
      String(offset),
    ];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const message = JSON.parse(line) as Message;
      done++;
      laws += message.laws;
      cases += message.cases;
      for (const failure of message.failures) {
        failures.push(failure);
        console.log(
          `FAIL ${failure.subject}, ${failure.law}, seed ${failure.seed}: ${failure.what}`,
        );
      }
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${tell()}`);
      else if (done % Math.ceil(seeds / 20) === 0) console.error(tell());
    });
    return new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  });
  const ended = await Promise.all(codes);
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const crashed = ended.some((code) => code !== 0) || done !== seeds;
  console.log(
    `seeds ${first} to ${first + seeds - 1}: ${laws.toLocaleString("en")} laws held, ${cases.toLocaleString("en")} numbers compared, ${failures.length} failures, ${minutes().toFixed(1)} min${crashed ? "; a process ended early" : ""}`,
  );
  if (flags.out !== undefined) {
    const date = new Date().toISOString().slice(0, 10);
    const result = {
      date,
      node: process.version,
      first,
      seeds: done,
      laws,
      cases,
      failures,
      minutes: Math.round(minutes()),
    };
    writeFileSync(flags.out, `${JSON.stringify(result, null, 2)}\n`);
  }
  process.exitCode = failures.length > 0 || crashed ? 1 : 0;
}

if (flags.worker === undefined) await lead();
else work(Number(flags.worker));
