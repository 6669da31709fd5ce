import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { train } from "../../src/commands/train.ts";
import { checkSharing } from "../../src/training/sharing.ts";
import { threadsLine } from "../../src/training/threadsLine.ts";
import { told } from "../../src/training/told.ts";
import { run } from "../run.ts";
import { small, workFolder } from "./scratch.ts";

workFolder();

const said = async (...args: string[]) => {
  const { code, err } = await run(train, ...args);
  expect(code).toBe(2);
  expect(err.trim().replace(/\n\(Did you mean .*\)$/, "")).not.toContain("\n");
  expect(existsSync("runs")).toBe(false);
  return err.trim();
};

test("--help lists every option", async () => {
  const { code, out } = await run(train, "--help");
  expect(code).toBe(0);
  const names =
    "text csv columns missing data cell size export hidden layers batch k1 k2 clip lr warmup decay seconds windows threads shards local-updates outer-lr outer-momentum save resume temperature flow csv-metrics print-schema name force seed json";
  for (const name of names.split(" ")) expect(out).toMatch(new RegExp(`--${name}[ \n]`));
});

test.each([
  ["an unknown option", ["--layer", "2"], /unknown option '--layer'.*--layers/s],
  ["a number that is none", ["--hidden", "many"], /--hidden: .*expected number.*"many"/],
  ["a word too many", ["a.json", "words"], /too many arguments/],
  [
    "a cell that is none",
    ["--text", "rhyme.txt", "--cell", "lstmm"],
    /no cell "lstmm", did you mean "lstm"\?/,
  ],
  ["a size of zero", ["--hidden", "0"], /--hidden: .*>=1, got 0/],
  ["a fraction of a batch", ["--batch", "2.5"], /--batch: .*int.*got 2.5/],
  ["a negative rate", ["--lr=-1"], /--lr: .*>0, got -1/],
  ["an empty number", ["--clip", ""], /--clip: .*number.*got ""/],
  ["k2 below k1", ["--k1", "10", "--k2", "5"], /--k2 must be at least --k1, got k1 10 and k2 5/],
  ["a seed out of range", ["--seed=-3"], /--seed: .*>=0, got -3/],
  ["a missing text", ["--text", "nowhere.txt"], /--text: cannot read nowhere.txt: there is no/],
  ["a missing run", ["--resume", "runs/none"], /runs\/none is not the folder of a run/],
  [
    "two sets of data",
    ["--text", "a", "--csv", "b"],
    /one of --text, --csv and --data, got --text and --csv/,
  ],
  ["columns of a text", ["--text", "rhyme.txt", "--columns", "a"], /--columns is about a CSV file/],
  [
    "an export of a built-in cell",
    ["--text", "rhyme.txt", "--export", "mine"],
    /--export names a cell of a file, and --cell is gru/,
  ],
  [
    "a size that a cell does not have",
    ["--text", "rhyme.txt", "--size", "projection=3"],
    /--cell gru: gru: .*projection/,
  ],
  [
    "a cell without a size that it needs",
    ["--text", "rhyme.txt", "--cell", "lstmProjected"],
    /--cell lstmProjected: .*projection.*--size name=number gives a size/,
  ],
  [
    "a missing file with a cell",
    ["--text", "rhyme.txt", "--cell", "./no.ts"],
    /cannot load .\/no.ts/,
  ],
  [
    "a missing configuration",
    ["none.json"],
    /cannot read the configuration none.json: there is no/,
  ],
])("%s", async (_what, args, message) => {
  expect(await said(...args)).toMatch(message);
});

test("a name with a path", async () => {
  expect(await said("--text", "rhyme.txt", ...small, "--name", "../x")).toMatch(
    /--name may hold letters/,
  );
});

test.each([
  ["an empty file", "", /bad.txt is empty/],
  ["one distinct character", "a".repeat(500), /one distinct character, "a"/],
  ["a few characters", "abcabc", /6 characters, too few/],
  ["bytes that are no UTF-8", Uint8Array.of(0xff, 0xfe, 0x00, 0xd8, 0x41), /not UTF-8/],
])("a text of %s", async (_what, content, message) => {
  writeFileSync("bad.txt", content);
  expect(await said("--text", "bad.txt", ...small)).toMatch(message);
});

test("a configuration names the path of what is wrong", async () => {
  writeFileSync("config.json", JSON.stringify({ text: "rhyme.txt", hidden: "16" }));
  expect(await said("config.json")).toMatchInlineSnapshot(
    `"train: config.json: hidden: expected number, got "16""`,
  );
  writeFileSync("config.json", JSON.stringify({ text: "rhyme.txt", columns: ["a", 3] }));
  expect(await said("config.json")).toMatchInlineSnapshot(
    `"train: config.json: columns[1]: expected string, got 3"`,
  );
  writeFileSync("config.json", JSON.stringify({ text: "rhyme.txt", hiden: 16 }));
  expect(await said("config.json")).toMatchInlineSnapshot(
    `"train: config.json: hiden: there is no such option, did you mean "hidden"?"`,
  );
});

test("the published schema is that of the options", async () => {
  const { out } = await run(train, "--print-schema", "--json");
  const schema = JSON.parse(out) as { properties: Record<string, { description?: string }> };
  expect(schema.properties.hidden).toMatchObject({ type: "integer", minimum: 1 });
  for (const [name, { description }] of Object.entries(schema.properties)) {
    expect(description, name).toMatch(/\w+ \w+/);
  }
});

test("parameters that the kernels cannot hold are refused before any is drawn", async () => {
  expect(await said("--text", "rhyme.txt", "--hidden", "1000000000")).toMatchInlineSnapshot(
    `"train: --hidden 1000000000: 3,000,000,388,000,000,000 parameters with their gradients and moments take 48 EB, and the kernels can address 4.295 GB; take fewer hidden units"`,
  );
});

test("threads, shards and averages that do not fit", async () => {
  const calls = [
    "--threads 0",
    "--threads 1.5",
    "--threads many",
    "--threads 65",
    "--threads=",
    "--shards 3",
    "--shards 4 --batch 3",
    "--shards none",
    "--local-updates 0",
    "--local-updates 4 --windows 10",
    "--local-updates 4 --outer-momentum 1",
    "--outer-lr 1",
    "--outer-momentum 0",
  ];
  const errors: string[] = [];
  for (const call of calls) {
    errors.push(`${call}: ${await said("--text", "rhyme.txt", ...call.split(" "))}`);
  }
  expect(errors).toMatchInlineSnapshot(`
    [
      "--threads 0: train: --threads: too small: expected number to be >=1, got 0",
      "--threads 1.5: train: --threads: expected "auto" or a whole number of threads from 1 to 64, got 1.5",
      "--threads many: train: --threads: expected "auto" or a whole number of threads from 1 to 64, got "many"",
      "--threads 65: train: --threads: too big: expected number to be <=64, got 65",
      "--threads=: train: --threads: expected "auto" or a whole number of threads from 1 to 64, got """,
      "--shards 3: train: --shards: expected one of 1|2|4|8, got 3",
      "--shards 4 --batch 3: train: --shards 4 does not divide --batch 3; choose another batch, or a smaller number of shards",
      "--shards none: train: --shards: expected one of 1|2|4|8, got "none"",
      "--local-updates 0: train: --local-updates: too small: expected number to be >=1, got 0",
      "--local-updates 4 --windows 10: train: --windows 10 is no multiple of --local-updates 4, and a run ends at an average; take 12 windows",
      "--local-updates 4 --outer-momentum 1: train: --outer-momentum: too big: expected number to be <1, got 1",
      "--outer-lr 1: train: --outer-lr is about averages, and there are none; give --local-updates N",
      "--outer-momentum 0: train: --outer-momentum is about averages, and there are none; give --local-updates N",
    ]
  `);
  const four = { shards: 4 as const, batch: 8, localUpdates: undefined, data: undefined };
  expect(() => checkSharing(four, { windows: 3 }, 3)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: --shards 4 cannot be shared by 3 ranks; start a number of ranks that divides it, or leave it out]`,
  );
  checkSharing({ ...four, data: "rows.ts", batch: 3 }, { windows: 3 }, 2);
});

test("what goes wrong in the training is told by flag and rank", () => {
  const errors = [
    "truncated: shards must divide the rows of a batch, got 4 for 6 rows; choose another batch size, or a smaller number",
    "worker 1 of 2: truncated: shards need rows that can be computed apart, and they depend on each other; leave shards out",
    "worker 1 of 2: truncated: the loss of step 7 is NaN; look at it",
    "localUpdates.update: all workers must have made the same number of updates",
  ];
  const found = errors.map((text) => told(new Error(text), undefined) as Error);
  expect(found.map(({ name, message }) => `${name}: ${message}`)).toMatchInlineSnapshot(`
    [
      "RunError: --shards must divide the rows of a batch, got 4 for 6 rows; choose another batch size, or a smaller number",
      "RunError: --shards needs rows that can be computed apart, and they depend on each other; leave it out",
      "RunError: worker 1 of 2: truncated: the loss of step 7 is NaN; look at it; where all inputs are finite, the training diverged: a smaller --lr or --clip may help",
      "RunError: localUpdates.update: all workers must have made the same number of updates",
    ]
  `);
});

test.each([
  [
    "for each of 2 shards, on 2 threads until it was measured",
    { threads: "auto", ranks: 1 },
    "Threads: 2 shards of the rows, on 2 threads until it was measured",
  ],
  [
    "for each of 4 shards, forward on 2 threads, backward on one thread",
    { threads: 2, ranks: 2 },
    "Threads: 4 shards of the rows of each rank, forward on 2 threads, backward on one thread",
  ],
  [
    "for each of 4 shards of the rows",
    { threads: "auto", ranks: 1 },
    "Threads: 4 shards of the rows, one after the other",
  ],
  [
    "all rows on one thread, because it is small; 1 of 2 chunks ran on tapes",
    { threads: 2, ranks: 1 },
    "Threads: all rows on one, because it is small",
  ],
  ["all rows on one thread, because it is small", { threads: "auto", ranks: 1 }, undefined],
] as const)("a line says what runs: %s", (explained, asked, line) => {
  expect(threadsLine(`9 kernel calls: 9 add; ${explained}`, asked)).toBe(line);
});
