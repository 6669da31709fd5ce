import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isTensor, type Tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { loadCheckpoint } from "@chronograd/nn/node";
import { expect, test } from "vitest";
import type { Given, Saved, Setting } from "./training.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const windows = 90;
/** Processes that run at a time. */
const atOnce = 2;

const settings: readonly Setting[] = (["carry", "recompute"] as const).flatMap((stale) =>
  [false, true].flatMap((compile) => [1, 2].map((workers) => ({ stale, compile, workers }))),
);

/** Runs a process, and kills it after some saves and some milliseconds more. */
async function live(given: Given, saves: number, later: number): Promise<"killed" | "over"> {
  const child = spawn(process.execPath, [
    ...["--conditions=@chronograd/source", "--no-warnings"],
    ...[main, JSON.stringify(given)],
  ]);
  let said = "";
  let errors = "";
  child.stderr.on("data", (text) => (errors += text));
  const isTime = new Promise<void>((resolve) => {
    child.stdout.on("data", (text) => {
      said += text;
      if (said.includes("begun") && said.split("saving").length > saves) resolve();
    });
  });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  void isTime.then(() => delay(later)).then(() => child.kill("SIGKILL"));
  const code = await exit;
  if (code === null) return "killed";
  if (code !== 0) throw new Error(`the process failed: ${errors}`);
  return "over";
}

/** A file's tree, with numbers in place of tensors. */
async function read(path: string): Promise<unknown> {
  const saved = await loadCheckpoint<Saved>(path);
  return tree.map(saved, (x: Tensor) => [x.dtype, x.shape, ...x.toTypedArray()], isTensor);
}

/** Kills one run again and again, then lets it end; what its file holds, and how often that was. */
async function killed(setting: Setting, folder: string, times: number, name: string) {
  const random = rng(times, name);
  const given = { ...setting, path: join(folder, `${name}, killed`), windows, talks: true };
  let count = 0;
  let found = 0;
  while (count < times) {
    // Anywhere, or while a file is being written.
    const [saves, later] =
      count % 2 === 0 ? [0, random.integer(0, 150)] : [random.integer(1, 8), random.integer(0, 6)];
    if ((await live(given, saves, later)) === "killed") count++;
    // It was over before: again from the start.
    else await rm(given.path);
    if (existsSync(given.path)) found++;
  }
  await live(given, Infinity, 0);
  return { count, found, tree: await read(given.path) };
}

test("a run that is killed at any moment, and goes on, is the run never killed, bit for bit", async () => {
  const folder = await mkdtemp(join(tmpdir(), "chronograd-"));
  const queue = settings.entries();
  let total = 0;
  let resumed = 0;
  const works = async () => {
    for (const [i, setting] of queue) {
      const name = Object.values(setting).join(", ");
      const path = join(folder, name);
      await live({ ...setting, path, windows, talks: false }, Infinity, 0);
      // 50 in all; a process with workers begins slowly.
      const times = setting.workers === 1 ? 9 : i < 4 ? 4 : 3;
      const { count, found, tree } = await killed(setting, folder, times, name);
      total += count;
      resumed += found;
      expect(tree, name).toEqual(await read(path));
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, works));
    expect(total).toBe(50);
    expect(resumed).toBeGreaterThan(25);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 120_000);
