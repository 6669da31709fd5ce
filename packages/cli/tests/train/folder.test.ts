import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { beforeEach, expect, test } from "vitest";
import { evaluate } from "../../src/commands/evaluate.ts";
import { generate } from "../../src/commands/generate.ts";
import { inspect } from "../../src/commands/inspect.ts";
import { runs } from "../../src/commands/runs.ts";
import { train } from "../../src/commands/train.ts";
import { run } from "../run.ts";
import { metricsOf, small, workFolder } from "./scratch.ts";

workFolder();

const onRhyme = ["--text", "rhyme.txt", ...small];
const [model, log, lock] = ["model.safetensors", "metrics.jsonl", "lock"].map(
  (name) => `runs/some/${name}`,
) as [string, string, string];
const goOn = async (windows: number) =>
  await run(train, "--resume", "runs/some", "--windows", String(windows));

/** Losses of windows that a run of 40, and then 60, must have. */
let expected: number[];
beforeEach(async () => {
  rmSync("runs", { recursive: true, force: true });
  const save = ["--windows", "40", "--decay", "0", "--save", "1e-9"];
  expect((await run(train, ...onRhyme, ...save, "--name", "some")).code).toBe(0);
  if (expected === undefined) {
    await run(train, ...onRhyme, "--windows", "60", "--decay", "0", "--name", "whole");
    expected = metricsOf("whole").map(({ loss }) => loss!);
  }
});
const losses = () => metricsOf("some").map(({ loss }) => loss!);

/** The process of a program that has ended. */
const ended = () => spawnSync(process.execPath, ["-e", ""]).pid;
const holder = (pid: number, host = hostname(), since = new Date()) =>
  JSON.stringify({ pid, host, since: since.toISOString() });

test("a run that a process works on is not resumed, nor replaced", async () => {
  writeFileSync(lock, holder(process.pid, undefined, new Date("2100-01-01")));
  const { code, err } = await goOn(60);
  expect(code).toBe(2);
  expect(err.trim().replace(String(process.pid), "PID").replace(hostname(), "HOST")).toBe(
    "train: process PID on HOST works in runs/some since 2100-01-01T00:00:00.000Z; wait for its end or stop it, or delete runs/some/lock if that process is another one",
  );
  const replacing = await run(train, ...onRhyme, "--windows", "1", "--name", "some", "--force");
  expect(replacing.err).toMatch(/works in runs\/some since/);
  // What happens on another machine cannot be known.
  writeFileSync(lock, holder(ended(), "elsewhere"));
  expect((await goOn(60)).err).toMatch(/process \d+ on elsewhere works in runs\/some/);
  writeFileSync(lock, "{");
  expect((await goOn(60)).err).toMatch(/runs\/some\/lock cannot be read.*delete that file/);
  expect(losses()).toHaveLength(40);
  // Reading needs no lock.
  expect((await run(evaluate, "runs/some")).code).toBe(0);
});

test.each([
  ["that has ended", () => holder(ended())],
  ["from before the machine started", () => holder(process.pid, undefined, new Date(0))],
])("the lock of a process %s is taken over, and that is told", async (_what, text) => {
  writeFileSync(lock, text());
  const { code, out } = await goOn(60);
  expect(code).toBe(0);
  expect(out).toMatch(
    /^runs\/some: took over the lock of process \d+, since .*, which has ended$/m,
  );
  expect(losses()).toEqual(expected);
});

test("no lock stays after the end of a run, an error or a refusal", async () => {
  expect(existsSync(lock)).toBe(false);
  expect((await run(train, "--resume", "runs/some", "--hidden", "3")).code).toBe(2);
  expect(existsSync(lock)).toBe(false);
  const wild = ["--windows", "50", "--warmup", "0", "--lr", "1e38", "--name", "wild"];
  expect((await run(train, ...onRhyme, ...wild)).code).toBe(1);
  expect(readdirSync("runs/wild")).not.toContain("lock");
});

test("a last line of metrics that was cut is left out, and the run goes on", async () => {
  const whole = readFileSync(log);
  truncateSync(log, whole.length - 20);
  const { code, out } = await goOn(60);
  expect(code).toBe(0);
  expect(out).toMatch(/metrics.jsonl: the last line was cut, and is left out of the curves/);
  expect(losses()).toEqual(expected.toSpliced(39, 1));
  expect(metricsOf("some").at(-1)).toMatchObject({ window: 59 });
  const { windows, steps } = JSON.parse(readFileSync("runs/some/result.json", "utf8"));
  expect([windows, steps]).toEqual([60, 300]);
});

test("what comes after the checkpoint comes again, whole or cut", async () => {
  appendFileSync(log, `${JSON.stringify({ window: 40, loss: 9 })}\n{"window": 41, "lo`);
  expect((await goOn(60)).out).not.toMatch(/was cut/);
  expect(losses()).toEqual(expected);
});

test("a line that was cut in the middle, and lines that are lost, are errors", async () => {
  const lines = readFileSync(log, "utf8").split("\n");
  writeFileSync(log, lines.toSpliced(6, 1, '{"window": 6, "lo').join("\n"));
  const { code, err } = await goOn(60);
  expect([code, err.trim()]).toEqual([
    2,
    expect.stringMatching(
      /^train: runs\/some\/metrics.jsonl, line 7 cannot be read: .*; restore the file$/,
    ),
  ]);
  expect((await run(runs)).out).toMatch(/line 7 cannot be read/);
  writeFileSync(log, lines.slice(0, 38).join("\n"));
  expect((await goOn(60)).err).toMatch(/has 37 lines, and the checkpoint is of 40; restore/);
});

test.each([
  ["cut", (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1)],
  ["of another kind", () => new TextEncoder().encode("not a model at all")],
  ["missing", () => undefined],
])("a checkpoint that is %s gives way to the one before it", async (what, damage) => {
  const damaged = damage(readFileSync(model));
  if (damaged === undefined) rmSync(model);
  else writeFileSync(model, damaged);
  const told = `${model} is ${what === "missing" ? "missing" : "damaged"}; the checkpoint before it is taken, model.safetensors.previous`;
  for (const [command, ...words] of [
    [generate, "--length", "1", "--prompt", "r"],
    [evaluate],
    [inspect],
  ] as const) {
    const { code, out } = await run(command, "runs/some", ...words);
    expect([code, out]).toEqual([0, expect.stringContaining(told)]);
  }
  // Those who only read leave all as it is.
  expect(existsSync(model)).toBe(damaged !== undefined);
  const { code, out } = await goOn(60);
  expect([code, out]).toEqual([0, expect.stringContaining(told)]);
  expect(losses()).toEqual(expected);
  if (damaged !== undefined) {
    expect(readFileSync(`${model}.damaged`).equals(damaged)).toBe(true);
  }
  expect((await run(evaluate, "runs/some")).out).not.toMatch(/checkpoint/);
});

test("where both checkpoints are damaged or missing, that is a sentence", async () => {
  copyFileSync("rhyme.txt", model);
  copyFileSync("rhyme.txt", `${model}.previous`);
  const { code, err } = await goOn(60);
  expect(code).toBe(2);
  expect(err).toMatch(/^train: runs\/some: .*model.safetensors" .*\n$/);
  rmSync(model);
  rmSync(`${model}.previous`);
  for (const command of [generate, evaluate, inspect]) {
    const { code, err } = await run(command, "runs/some");
    expect(`${code} ${err.trim()}`).toMatch(
      /^2 \w+: runs\/some has no model.safetensors: the run ended before it saved a checkpoint; train again$/,
    );
  }
});
