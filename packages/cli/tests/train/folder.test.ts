import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { evaluate } from "../../src/commands/evaluate.ts";
import { generate } from "../../src/commands/generate.ts";
import { inspect } from "../../src/commands/inspect.ts";
import { runs } from "../../src/commands/runs.ts";
import { train } from "../../src/commands/train.ts";
import { openRun } from "../../src/run.ts";
import { run } from "../run.ts";
import { metricsOf, small, workFolder } from "./scratch.ts";

workFolder();

const onRhyme = ["--text", "rhyme.txt", ...small, "--decay", "0"];
const [model, log, lock] = ["model.safetensors", "metrics.jsonl", "lock"].map(
  (name) => `runs/some/${name}`,
) as [string, string, string];
const goOn = async () => await run(train, "--resume", "runs/some", "--windows", "12");

/** Opens the run as it goes on, and closes it at once; what was told, and the lines. */
async function opened(): Promise<{ told: string; lines: number }> {
  let told = "";
  const { folder, metrics } = await openRun("runs/some", "train", (line) => {
    told += `${line}\n`;
  });
  folder.close();
  return { told, lines: metrics.length };
}

/** Losses of a run of 8 windows that goes on to 12. */
let expected: number[];
beforeAll(async () => {
  const [eight, twelve] = [8, 12].map((windows) => [...onRhyme, "--windows", String(windows)]);
  await run(train, ...eight!, "--save", "1e-9", "--name", "kept");
  await run(train, ...twelve!, "--name", "whole");
  expected = metricsOf("whole").map(({ loss }) => loss!);
});
beforeEach(() => {
  rmSync("runs/some", { recursive: true, force: true });
  cpSync("runs/kept", "runs/some", { recursive: true });
});
const losses = () => metricsOf("some").map(({ loss }) => loss!);

/** The process of a program that has ended. */
const ended = () => spawnSync(process.execPath, ["-e", ""]).pid;
const holder = (pid: number, host = hostname(), since = new Date()) =>
  JSON.stringify({ pid, host, since: since.toISOString() });

test("a run that a process works on is not resumed, nor replaced", async () => {
  writeFileSync(lock, holder(process.pid, undefined, new Date("2100-01-01")));
  const { code, err } = await goOn();
  expect(code).toBe(2);
  expect(err.trim().replace(String(process.pid), "PID").replace(hostname(), "HOST")).toBe(
    "train: process PID on HOST works in runs/some since 2100-01-01T00:00:00.000Z; wait for its end or stop it, or delete runs/some/lock if that process is another one",
  );
  const replacing = await run(train, ...onRhyme, "--windows", "1", "--name", "some", "--force");
  expect(replacing.err).toMatch(/works in runs\/some since/);
  // What happens on another machine cannot be known.
  writeFileSync(lock, holder(ended(), "elsewhere"));
  await expect(opened()).rejects.toThrow(/process \d+ on elsewhere works in runs\/some/);
  writeFileSync(lock, "{");
  await expect(opened()).rejects.toThrow(/runs\/some\/lock cannot be read.*delete that file/);
  expect(losses()).toHaveLength(8);
  // Reading needs no lock.
  expect((await run(evaluate, "runs/some")).code).toBe(0);
});

test("while a run is open, it is not opened a second time", async () => {
  const { folder } = await openRun("runs/some", "train");
  await expect(opened()).rejects.toThrow(`process ${process.pid} on`);
  folder.close();
  expect((await opened()).told).toBe("");
  expect(existsSync(lock)).toBe(false);
});

test("no lock stays after an error or a refusal", async () => {
  expect((await run(train, "--resume", "runs/some", "--hidden", "3")).code).toBe(2);
  expect(existsSync(lock)).toBe(false);
  const wild = ["--windows", "50", "--warmup", "0", "--lr", "1e38", "--name", "wild"];
  expect((await run(train, ...onRhyme, ...wild)).code).toBe(1);
  expect(readdirSync("runs/wild")).not.toContain("lock");
});

test("a process that was killed leaves its lock, and a last line that was cut; the run goes on", async () => {
  const bytes = readFileSync(log);
  truncateSync(log, bytes.length - 20);
  writeFileSync(lock, holder(process.pid, undefined, new Date(0)));
  const took = /^runs\/some: took over the lock of process \d+, since .*, which has ended$/m;
  // From before the machine started: the number is that of another process now.
  expect((await opened()).told).toMatch(took);
  writeFileSync(lock, holder(ended()));
  const { code, out } = await goOn();
  expect(code).toBe(0);
  expect(out).toMatch(took);
  expect(out).toMatch(/metrics.jsonl: the last line was cut, and is left out of the curves/);
  expect(losses()).toEqual(expected.toSpliced(7, 1));
  expect(metricsOf("some").at(-1)).toMatchObject({ window: 11 });
  const { windows, steps } = JSON.parse(readFileSync("runs/some/result.json", "utf8"));
  expect([windows, steps]).toEqual([12, 60]);
  expect(existsSync(lock)).toBe(false);
});

test("lines of metrics: what comes after the checkpoint comes again; what is lost is an error", async () => {
  const lines = readFileSync(log, "utf8").split("\n");
  appendFileSync(log, `${JSON.stringify({ window: 8, loss: 9 })}\n{"window": 9, "lo`);
  expect(await opened()).toEqual({ told: "", lines: 8 });
  writeFileSync(log, lines.toSpliced(6, 1, '{"window": 6, "lo').join("\n"));
  await expect(opened()).rejects.toThrow(
    /^runs\/some\/metrics.jsonl, line 7 cannot be read: .*; restore the file$/,
  );
  expect((await run(runs)).out).toMatch(/line 7 cannot be read/);
  writeFileSync(log, lines.slice(0, 7).join("\n"));
  await expect(opened()).rejects.toThrow(/has 6 lines, and the checkpoint is of 8; restore/);
});

const told = (what: string) =>
  `${model} is ${what}; the checkpoint before it is taken, model.safetensors.previous`;

test("a damaged checkpoint gives way to the one before it", async () => {
  writeFileSync(model, "not a model at all");
  for (const [command, ...words] of [
    [generate, "--length", "1", "--prompt", "r"],
    [evaluate],
    [inspect],
  ] as const) {
    const { code, out } = await run(command, "runs/some", ...words);
    expect([code, out]).toEqual([0, expect.stringContaining(told("damaged"))]);
  }
  // Those who only read leave all as it is.
  expect(readFileSync(model, "utf8")).toBe("not a model at all");
  const { code, out } = await goOn();
  expect([code, out]).toEqual([0, expect.stringContaining(told("damaged"))]);
  expect(losses()).toEqual(expected);
  expect(readFileSync(`${model}.damaged`, "utf8")).toBe("not a model at all");
  expect((await opened()).told).toBe("");
});

test("a checkpoint may be cut or missing, but not both of them", async () => {
  truncateSync(model, 1000);
  expect(await opened()).toEqual({ told: `${told("damaged")}\n`, lines: 7 });
  rmSync(model);
  expect(await opened()).toEqual({ told: `${told("missing")}\n`, lines: 7 });
  truncateSync(`${model}.previous`, 1000);
  await expect(opened()).rejects.toThrow(/^runs\/some: "runs\/some\/model.safetensors.previous" /);
  rmSync(`${model}.previous`);
  for (const command of [generate, evaluate, inspect]) {
    const { code, err } = await run(command, "runs/some");
    expect(`${code} ${err.trim()}`).toMatch(
      /^2 \w+: runs\/some has no model.safetensors: the run ended before it saved a checkpoint; train again$/,
    );
  }
});
