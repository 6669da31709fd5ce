import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { train } from "../../src/commands/train.ts";
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
    "text csv columns missing data cell size export hidden layers batch k1 k2 clip lr warmup decay seconds windows save resume temperature flow csv-metrics print-schema name force seed json";
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
