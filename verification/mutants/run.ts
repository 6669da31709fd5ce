// npm run mutants [-- --jobs n] [--only name] [--runs n]: injects each bug in turn, and prints
// which law notices it.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { wholeNumber } from "../flags.ts";
import { mutants } from "./index.ts";
import { root } from "./inject.ts";
import { type Tried, tryAll, tryOne } from "./pool.ts";
import { lineOf, reportOf, tableOf } from "./report.ts";

/** The fraction of mutants that must be killed. */
const required = 0.99;

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: String(availableParallelism()) },
    only: { type: "string" },
    runs: { type: "string", default: "2" },
  },
});

const jobs = wholeNumber("mutants", "jobs", values.jobs, 1);
const runs = wholeNumber("mutants", "runs", values.runs, 1);
const only = values.only;
const chosen = mutants.filter(
  ({ name, file }) => only === undefined || `${file} ${name}`.includes(only),
);
if (chosen.length === 0) {
  console.error(`mutants: no mutant's name or file contains "${only}"`);
  process.exit(2);
}

const begin = performance.now();
const seconds = () => (performance.now() - begin) / 1000;

/** The suite without a mutant, in the same setting: if it fails, trials show nothing. */
async function control(when: string): Promise<void> {
  const ending = await tryOne(undefined, { runs, limit: 600 });
  if (ending.is === "survived") return;
  const what =
    ending.is === "killed"
      ? `${ending.by.subject}, ${ending.by.law}: ${ending.by.what}`
      : ending.what;
  console.error(
    `mutants: ${when} the suite does not hold without a mutant, so nothing can be told.\n${what}`,
  );
  process.exit(1);
}

await control("before the trials");
const controlSeconds = seconds();
console.log(`The suite holds as it is, in ${controlSeconds.toFixed(1)} s.`);

const isTerminal = process.stdout.isTTY === true;
const limit = Math.ceil(Math.max(60, 6 * controlSeconds));
function show(tried: Tried, done: number): void {
  const line = `${String(done).padStart(String(chosen.length).length)}/${chosen.length} ${lineOf(tried)}`;
  const isNews = tried.ending.is === "survived" || tried.ending.is === "out of date";
  if (!isTerminal) console.log(line);
  else {
    const text = line.slice(0, (process.stdout.columns ?? 80) - 1);
    process.stdout.write(`\r\x1b[2K${text}${isNews ? "\n" : ""}`);
  }
}
const tried = await tryAll(chosen, { runs, limit, jobs }, show);
if (isTerminal) process.stdout.write("\r\x1b[2K");
// The files may have been edited in the meantime.
await control("after the trials");

const report = reportOf(tried);
console.log(`\n${tableOf(report)}\n\n${seconds().toFixed(0)} s`);

if (only === undefined) {
  const git = spawnSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" });
  const result = {
    date: new Date().toISOString(),
    ...(git.status === 0 && { commit: git.stdout.trim() }),
    node: process.version,
    seconds: Math.round(seconds()),
    ...report,
  };
  const folder = new URL("verification/results/", root);
  mkdirSync(folder, { recursive: true });
  const file = new URL("mutants.json", folder);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`Written to ${fileURLToPath(file)}`);
}
process.exit(report.killed / report.total >= required ? 0 : 1);
