import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countParameters, rng } from "@chronograd/nn";
import { initialParams } from "@chronograd/rnn";
import { corpusTask } from "chronograd/text";
import { modelOf, trainOptions } from "chronograd/training";
import { expect, test } from "vitest";
import { scratch } from "../../scratch.ts";
import { baselines } from "../src/baselines.ts";
import { curves } from "../src/picture.ts";
import { batch, studies } from "../src/texts.ts";

const { folder, run } = scratch(import.meta.dirname);

test("a smoke run learns, decodes, and leaves a report and a picture", async () => {
  const { stdout } = await run("--smoke", "--name", "a", "--json", "--cells", "lstm,minGru");
  const { example, figures, seed } = JSON.parse(stdout);
  expect([example, seed, figures.length]).toEqual(["language", 1, 2]);
  // The frequencies of its characters alone would cost more than 3 bits.
  for (const { value } of figures) expect(value).toBeLessThan(1);
  const report = readFileSync(join(folder, "runs/a/report.html"), "utf8");
  for (const part of ["After &quot;The&quot;", "beam search", "Kneser-Ney", "minGru"]) {
    expect(report).toContain(part);
  }
  expect(readFileSync(join(folder, "runs/a/picture.svg"), "utf8")).toMatch(/^<svg/);
});

test("a text that there is not is refused in a sentence", async () => {
  const { code, stderr } = await run("--text", "bible");
  expect(code).toBe(2);
  expect(stderr).toMatch(/^language: --text: /);
});

test("the cells of a study have nearly as many parameters as its LSTM", async () => {
  for (const name of ["book", "names"] as const) {
    const { corpus, hidden } = studies[name];
    const task = corpusTask(corpus(), { batch, temperature: 1 });
    const counts = Object.entries(hidden).map(async ([cell, units]) => {
      const options = { ...trainOptions.parse({ cell }), hidden: units };
      const model = await modelOf(options, task.interface);
      return countParameters(initialParams(model, rng(1)) as never);
    });
    const [lstm, ...others] = await Promise.all(counts);
    for (const count of others) expect(Math.abs(count / lstm! - 1)).toBeLessThan(0.01);
  }
});

test("baselines are below the entropy of the frequencies of characters", () => {
  const corpus = studies.standIn.corpus();
  const { training, heldOut } = corpus;
  const counts = new Map<number, number>();
  for (const code of training) counts.set(code, (counts.get(code) ?? 0) + 1);
  const bits = heldOut.reduce(
    (sum, code) => sum - Math.log2(counts.get(code)! / training.length),
    0,
  );
  for (const value of Object.values(baselines(corpus))) {
    expect(value).toBeGreaterThan(0);
    expect(value).toBeLessThan(bits / heldOut.length);
  }
});

test("the picture names each cell with its figure, and each baseline", () => {
  const points = Array.from({ length: 10 }, (_, i) => ({
    characters: 1600 * (i + 1),
    bits: 3 - i / 10,
  }));
  const svg = curves([{ cell: "lstm", points, heldOut: 2.125 }], { gzip: 3.25 });
  for (const text of ["lstm 2.125", "gzip 3.250"]) expect(svg).toContain(text);
});
