import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { estimators } from "../../src/commands/estimators.ts";
import { flow } from "../../src/commands/flow.ts";
import { train } from "../../src/commands/train.ts";
import { run } from "../run.ts";
import { metricsOf, workFolder } from "../train/scratch.ts";

workFolder();

const sizes = "--hidden 4 --batch 4 --k1 4 --k2 8 --windows 10".split(" ");
const stretch = "--steps 40 --rows 2".split(" ");

const module = `import { tensor } from "@chronograd/autodiff";
export const sizes = { input: 1, output: 1 };
export function* batches() {
  for (let t = 0; t < 60; t++) yield { input: tensor([[t % 3], [t % 2]]), target: tensor([[1], [0]]) };
}
`;

beforeAll(async () => {
  writeFileSync("data.ts", module);
  writeFileSync("cell.ts", `export { lstm as default } from "@chronograd/rnn";\n`);
  const runs = [
    ["--text", "rhyme.txt", "--name", "text"],
    ["--data", "data.ts", "--cell", "elman", "--name", "module"],
  ];
  for (const words of runs) expect((await run(train, ...words, ...sizes)).code).toBe(0);
});

test("all instruments look at a run, and its report links their page", async () => {
  const { code, out } = await run(flow, "runs/text", ...stretch, "--json");
  expect(code).toBe(0);
  const { instruments, refused, steps, rows } = JSON.parse(out);
  expect([steps, rows]).toEqual([40, 2]);
  const names = [...Object.keys(instruments), ...Object.keys(refused)].sort();
  expect(names).toEqual(
    "bias fixed gates gradients lags lyapunov memory spectra window".split(" "),
  );
  const page = readFileSync("runs/text/flow.html", "utf8");
  expect(page.replaceAll(/base64,[^"]*/g, "")).not.toMatch(/NaN|undefined/);
  const report = readFileSync("runs/text/report.html", "utf8");
  expect(report.match(/href="flow.html"/g)).toHaveLength(1);
  await run(flow, "runs/text", ...stretch, "--only", "lyapunov");
  expect(readFileSync("runs/text/report.html", "utf8")).toBe(report);
});

test("a module without held-out data is looked at on those of its training", async () => {
  const { out, code } = await run(flow, "runs/module", ...stretch, "--only", "bias,lags");
  expect(code).toBe(0);
  expect(out).toMatch(/on 40 training time steps of 2 rows/);
  expect(out).toMatch(/^truncation bias of k1 = 4, k2 = 8: cosine \d/m);
});

test("--steps takes more where there are more", async () => {
  const words = ["--data", "data.ts", "--cell", "elman", "--name", "wide", ...sizes, "--k2", "100"];
  expect((await run(train, ...words)).code).toBe(0);
  const only = ["--only", "bias"];
  const { out } = await run(flow, "runs/wide", ...only);
  expect(out).toMatch(/none on 60 time steps, which are no more than k2$/m);
  const less = await run(flow, "runs/wide", ...only, "--steps", "20");
  expect(less.out).toMatch(
    /none on 20 time steps, which are no more than k2; --steps takes more$/m,
  );
});

test("--flow changes nothing of a training", async () => {
  await run(train, "--text", "rhyme.txt", "--name", "seen", "--flow", ...sizes);
  const of = (name: string) =>
    metricsOf(name).map(({ loss, gradientNorm }) => [loss, gradientNorm]);
  expect(of("seen")).toEqual(of("text"));
  expect(metricsOf("seen").filter(({ updateToWeight }) => updateToWeight! > 0)).toHaveLength(2);
  expect(readFileSync(join("runs/seen/report.html"), "utf8")).toMatch(/href="flow.html"/);
});

test.each([
  ["--only", "lag", /no "lag", did you mean "lags"\?/],
  ["--steps", "100000", /--steps: rhyme.txt has \d+ held-out time steps, got 100000; ask for/],
  ["--tolerance", "1", /--tolerance: .*<1, got 1/],
])("flow refuses %s %s", async (flag, value, sentence) => {
  const { code, err } = await run(flow, "runs/text", flag, value);
  expect(code).toBe(2);
  expect(err).toMatch(sentence);
});

test("estimators are compared for a cell", async () => {
  const some = "--only truncated,rtrl,uoro --repeats 4 --steps 6 --json".split(" ");
  const { code, out } = await run(estimators, "cell.ts", ...some, "--picture", "e.svg");
  expect(code).toBe(0);
  const rows = JSON.parse(out).estimators as { name: string; relative: { bias: number } }[];
  expect(rows.map(({ name }) => name)).toEqual(["truncated 5, 5", "RTRL", "UORO"]);
  expect(rows[1]!.relative.bias).toBeLessThan(1e-10);
  expect(readFileSync("e.svg", "utf8")).toMatch(/^<svg/);
});

test("--hidden sizes a cell also where no data are named, unless --size does", async () => {
  const some = "--only rtrl --steps 2 --json".split(" ");
  for (const [words, hidden] of [
    [["--hidden", "2"], 2],
    [["--hidden", "2", "--size", "hidden=3"], 3],
  ] as const) {
    const { out } = await run(estimators, "cell.ts", ...some, ...words);
    expect(JSON.parse(out).parameters).toBe(4 * hidden * (3 + hidden + 1));
  }
  writeFileSync(
    "made.ts",
    `import { gru } from "@chronograd/rnn";\nexport default gru({ input: 2, hidden: 2 });\n`,
  );
  const { code, err } = await run(estimators, "made.ts", "--hidden", "4");
  expect(code).toBe(2);
  expect(err).toMatch(/made.ts exports a cell, which has its sizes; leave out hidden/);
});

test.each([
  ["an estimator that is none", ["--only", "rtl"], 2, /no "rtl", did you mean "rtrl"\?/],
  ["a size that does not fit", ["--size", "hidden=200", "--only", "rtrl"], 1, /rtrl: .*\d+ bytes/],
])("estimators refuses %s", async (_what, words, expected, sentence) => {
  const { code, err } = await run(estimators, "cell.ts", ...words);
  expect(code).toBe(expected);
  expect(err).toMatch(sentence);
});
