import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { loadCheckpoint } from "@chronograd/nn/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { train } from "./sequences.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);
/** How often each of the four runs is killed. */
const kills = Number(process.env.CHRONOGRAD_KILLS ?? 1);
const program = fileURLToPath(new URL("./sequences.ts", import.meta.url));
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chronograd-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the program, and kills it some milliseconds after it began, if it has not ended by then. */
async function live(args: readonly string[], until?: number): Promise<"killed" | "ended"> {
  const child = spawn(process.execPath, ["--conditions=@chronograd/source", program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(child, "exit");
  await once(child.stdout, "data");
  const timer = until === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), until);
  const [code, signal] = await gone;
  clearTimeout(timer);
  if (signal === null) expect(code).toBe(0);
  return signal === null ? "ended" : "killed";
}

const bits = async (path: string) =>
  tree.map(await loadCheckpoint(path), (x: Tensor) => [x.dtype, x.shape, [...x.toTypedArray()]]);

// The other modes, on endless streams, are those of killed.test.ts.
const runs = (["defer"] as const).flatMap((stale) =>
  [false, true].flatMap((compile) => [1, 2].map((workers) => [stale, compile, workers] as const)),
);

test.each(runs)(
  "a killed run goes on, bit for bit: stale %s, compile %s, %i workers",
  async (...run) => {
    const random = rng(seed, run.join());
    const args = (name: string) => [join(folder, `${run.join("-")}-${name}`), ...run.map(String)];
    const [path = ""] = args("whole");
    const [stale, compile, workers] = run;
    const begin = performance.now();
    await train({ path, stale, compile, workers });
    let longest = performance.now() - begin;
    const [killed = ""] = args("killed");
    for (let kill = 0; kill < kills; ) {
      // From before the first window to the last one.
      if ((await live(args("killed"), random.uniform() * longest)) === "killed") kill++;
      else {
        // It was done before: from the start again, with less patience.
        await rm(killed);
        longest /= 2;
      }
    }
    await live(args("killed"));
    expect(await bits(killed)).toEqual(await bits(path));
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  },
  120_000,
);
