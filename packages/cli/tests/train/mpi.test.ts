import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import {
  alone,
  type Ended,
  launch,
  launchers,
  testWithMpi,
} from "../../../nn/tests/parallel/mpi/launch.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const [openMpi, mpich] = launchers;

testWithMpi("train runs under mpiexec as it is, and goes on with other ranks", async () => {
  const folder = mkdtempSync(join(tmpdir(), "chronograd-"));
  try {
    const text = join(folder, "text.txt");
    writeFileSync(text, "The whale, the sea, the ship and the crew. ".repeat(120));
    const start = ["train", "--text", text, "--hidden", "6", "--batch", "5"];
    const run = (name: string) => join(folder, "runs", name);
    const first = (name: string) => [main, ...start, "--windows", "4", "--name", name];
    const more = (name: string) => [main, "train", "--resume", run(name), "--windows", "8"];
    const cwd = folder;
    const runs = [
      [openMpi!, 2, first("ranks")],
      [mpich!, 3, more("ranks")],
      [alone, 1, first("one")],
      [alone, 1, more("one")],
    ] as const;
    const said: Ended[] = [];
    for (const [launcher, ranks, words] of runs) {
      said.push(await launch(launcher, ranks, words, { cwd }));
    }
    expect(said.map(({ code, left }) => [code, left])).toEqual(said.map(() => [0, []]));
    // Only the first rank speaks.
    expect(said[0]!.said.match(/MPI: 2 ranks share the 5 rows/g)).toHaveLength(1);
    const lines = (name: string) =>
      readFileSync(join(run(name), "metrics.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { window: number; loss: number; gradientNorm: number });
    const [ranks, one] = [lines("ranks"), lines("one")];
    expect(ranks.map(({ window }) => window)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const [i, { loss, gradientNorm }] of ranks.entries()) {
      // float32, rounded to five digits.
      expect(loss).toBeCloseTo(one[i]!.loss, 4);
      expect(gradientNorm).toBeCloseTo(one[i]!.gradientNorm, 4);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

testWithMpi("ranks update alone and average, and one goes on alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "chronograd-"));
  try {
    const text = join(folder, "text.txt");
    writeFileSync(text, "The whale, the sea, the ship and the crew. ".repeat(120));
    const sizes = "--hidden 6 --batch 4 --k1 10 --k2 20 --decay 0 --shards 2".split(" ");
    const averages = ["--local-updates", "2", "--windows", "4", "--name", "averages"];
    const path = join(folder, "runs", "averages");
    const first = [main, "train", "--text", text, ...sizes, ...averages];
    const more = [main, "train", "--resume", path, "--windows", "8", "--threads", "1"];
    const said = [
      await launch(openMpi!, 2, first, { cwd: folder }),
      await launch(alone, 1, more, { cwd: folder }),
    ];
    expect(said.map(({ code, left }) => [code, left])).toEqual(said.map(() => [0, []]));
    const lines = said.map((ended) =>
      ended.said.match(/^(MPI|An outer step|Threads): .*$|^An .*$/gm),
    );
    expect(lines).toMatchInlineSnapshot(`
      [
        [
          "MPI: 2 ranks share the 4 rows, and average every 2 updates (outer rate 0.7, momentum 0.5)",
        ],
        [
          "An outer step every 2 updates (outer rate 0.7, momentum 0.5), of this process alone",
          "Threads: 2 shards of the rows, on one thread",
        ],
      ]
    `);
    const metrics = readFileSync(join(path, "metrics.jsonl"), "utf8").trim().split("\n");
    const windows = metrics.map((line) => JSON.parse(line) as { window: number; step: number });
    expect(windows.map(({ window, step }) => [window, step])).toEqual(
      [1, 3, 5, 7].map((i) => [i, 10 * i + 10]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

testWithMpi("what is asked for in a wrong way is said once", async () => {
  const { said, code } = await launch(mpich!, 2, [main, "train", "--k1", "9", "--k2", "3"]);
  expect(said.match(/^train: .*/gm)).toHaveLength(1);
  expect(code).toBe(2);
});
