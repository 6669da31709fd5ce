import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { loadCheckpoint } from "@chronograd/nn/node";
import { expect, test } from "vitest";
import { train } from "../../src/commands/train.ts";
import { run } from "../run.ts";
import { main, metricsOf, small, workFolder } from "./scratch.ts";

workFolder();

/** Starts the program, and ends it by a signal a while after its first words. */
async function interrupted(signal: NodeJS.Signals, after: number, ...args: string[]) {
  const flags = ["--conditions=@chronograd/source", "--no-warnings", main, "train", ...args];
  const child = spawn(process.execPath, flags);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    if (output.includes("characters/s")) return;
    output += chunk.toString();
    if (output.includes("characters/s")) setTimeout(() => child.kill(signal), after);
  });
  const [code] = await once(child, "exit");
  return code;
}

/** What a run has become, but for the times it took. */
async function outcome(name: string) {
  const saved = await loadCheckpoint<Record<string, unknown>>(
    join("runs", name, "model.safetensors"),
  );
  const { params, optimizer, live, place } = saved;
  const metrics = metricsOf(name).map(
    ({ seconds, tokensPerSecond, heldOutEstimate, ...others }) => others,
  );
  const state = tree.map({ params, optimizer, live }, (x: Tensor) => [...x.toTypedArray()]);
  return { metrics, state, place };
}

test("a run that is killed again and again, and resumed, is the run that was never killed", async () => {
  const common = ["--windows", "800", "--save", "0.05"];
  const whole = await run(
    train,
    ...["--text", "rhyme.txt", ...small, ...common, "--name", "whole"],
  );
  expect(whole.code).toBe(0);
  const random = rng(Number(process.env.CHRONOGRAD_SEED ?? 1), "kills");
  let start = ["--text", "rhyme.txt", ...small, ...common, "--name", "killed"];
  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    const code = await interrupted(signal, random.integer(0, 150), ...start);
    if (signal === "SIGINT") expect(code).toBe(0);
    start = ["--resume", "runs/killed", "--save", "0.05"];
  }
  // Where the last signal came too late, the run is complete, and says so.
  const { code, err } = await run(train, ...start);
  expect(code === 0 || err.includes("is complete")).toBe(true);
  expect(await outcome("killed")).toEqual(await outcome("whole"));
});
