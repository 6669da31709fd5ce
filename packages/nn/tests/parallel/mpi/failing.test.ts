import { fileURLToPath } from "node:url";
import { rng } from "@chronograd/nn";
import { describe, expect } from "vitest";
import { type Launcher, launch, launchers, testWithMpi } from "./launch.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);
/** How often ranks are made to fail at random, over each library. */
const kills = Number(process.env.CHRONOGRAD_KILLS ?? 1);
const program = fileURLToPath(new URL("./failing.ts", import.meta.url));
/** Seconds from the start of all processes to the end of the last one. */
const longest = 5;

const sentences = (said: string) => said.split("\n").filter((line) => /worker \d of \d/.test(line));

async function failed(launcher: Launcher, ranks: number, ...args: readonly (string | number)[]) {
  const ended = await launch(launcher, ranks, [program, ...args.map(String)]);
  expect(ended.left).toEqual([]);
  expect(ended.seconds).toBeLessThan(longest);
  expect(ended.said).not.toMatch(/all is done/);
  return ended;
}

const [openMpi, mpich] = launchers;

describe("what fails on one rank ends all, and is said once", () => {
  testWithMpi.each([
    [openMpi, 1, "throw", 1, "worker 1 of 3: RangeError: the data are torn"],
    [mpich, 2, "reject", 1, "worker 2 of 3: RangeError: the data are torn"],
    [mpich, "all", "throw", 1, "worker 0 of 3: RangeError: the data are torn"],
    [openMpi, 0, "exit", 3, "worker 0 of 3: it ended with exit code 3"],
    [
      mpich,
      1,
      "return",
      1,
      "worker 1 of 3: it has returned while worker W waits for it in allReduce; every worker must call the same collectives, in the same order",
    ],
    [
      openMpi,
      2,
      "shape",
      1,
      'worker 0 of 3: TypeError: allReduce: worker 0 of 3 came with "loss": a number and worker 2 came with "0": a number; every worker must call the same collectives, in the same order, with trees of the same structure, shapes and dtypes',
    ],
  ] as const)("%o, rank %s: %s", async (launcher, rank, way, code, sentence) => {
    const ended = await failed(launcher!, 3, rank, way, 7);
    const said = sentences(ended.said).map((line) =>
      line.replace(/worker \d waits/, "worker W waits"),
    );
    // Where all fail at once, any of them may be the first to say so.
    const [first] =
      rank === "all" || way === "shape"
        ? said.map((line) => line.replace(/^worker \d/, "worker 0"))
        : said;
    expect([first, ...said.slice(1)]).toEqual([sentence]);
    expect(ended.code).toBe(code);
  });

  testWithMpi("a rank that is killed: the launcher says it", async () => {
    const ended = await failed(openMpi!, 2, 1, "kill", 7);
    expect(sentences(ended.said)).toEqual([]);
    expect(ended.said).toMatch(
      /process rank 1 with PID \d+ on node .* exited on signal 9 \(Killed\)/,
    );
    expect(ended.code).not.toBe(0);
  });
});

testWithMpi.each(launchers.map((each) => [each.name, each] as const))(
  "ranks that fail at random leave nothing behind: %s",
  async (name, launcher) => {
    const random = rng(seed, `failures over ${name}`);
    const ways = ["throw", "reject", "exit", "code", "return", "kill", "shape", "order"];
    for (let i = 0; i < kills; i++) {
      const ranks = random.integer(2, 5);
      const [rank, exchange] = [random.integer(0, ranks), random.integer(0, 40)];
      const way = ways[random.integer(0, ways.length)]!;
      const what = `rank ${rank} of ${ranks}, ${way} before exchange ${exchange}`;
      const { said, code } = await failed(launcher, ranks, rank, way, exchange);
      expect(sentences(said).length, `${what}: ${said}`).toBe(way === "kill" ? 0 : 1);
      expect(code, what).not.toBe(0);
    }
  },
  kills * 12_000,
);
