import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { scratch } from "../../scratch.ts";
import { frequencies } from "../src/baselines.ts";
import { cadences, keys, lowestKey, readChorales, rollOf, transposed } from "../src/chorales.ts";
import { choraleModel, evaluate } from "../src/model.ts";
import { compose, harmonise } from "../src/sample.ts";
import { drawVoices } from "../src/voices.ts";

const { folder, run } = scratch(import.meta.dirname);

const model = choraleModel({ hidden: 8, dropout: 0 });
const params = model.initial(1);
const { train, test: heldOut } = cadences(rng(1));

test("a smoke run learns the cadences, and leaves a report, pictures and MIDI files", async () => {
  const { stdout } = await run("--smoke", "--name", "a", "--json");
  const { example, figures, seed } = JSON.parse(stdout);
  expect([example, seed]).toEqual(["music", 1]);
  expect(figures[0].value).toBeLessThan(figures[0].baselines["frequency of keys"]);
  for (const file of ["own.mid", "harmony.mid"]) {
    expect(readFileSync(join(folder, "runs/a", file), "latin1")).toMatch(/^MThd/);
  }
  expect(readFileSync(join(folder, "runs/a/report.html"), "utf8")).toContain("given soprano");
});

test("without the data it says where they are to be had", async () => {
  const { code, stderr } = await run("--data", "nowhere");
  expect(code).toBe(2);
  expect(stderr).toMatch(/there is no nowhere.*https:.*--data/);
});

test("a soprano outside of the piano is refused", async () => {
  const { code, stderr } = await run("--soprano", "60 200");
  expect([code, stderr]).toEqual([2, expect.stringMatching(/--soprano.*108/)]);
});

test.each([
  ["what is no JSON", "{", /jsb-chorales-quarter\.json: .*JSON/],
  [
    "a pitch that no piano has",
    '{"train":[[[60],[200]]],"valid":[],"test":[]}',
    /train\.0\.1\.0: .*108/,
  ],
  ["a part without chorales", '{"train":[[[60],[62]]],"valid":[],"test":[]}', /valid: .*1/],
])("%s is refused with its place", async (_what, text, said) => {
  writeFileSync(join(folder, "jsb-chorales-quarter.json"), text);
  await expect(readChorales(folder)).rejects.toThrow(said);
});

describe("the model", () => {
  test("gives a batch the losses of its rows alone, and 0 behind their ends", () => {
    const some = [train[0]!.slice(0, 3), train[1]!.slice(0, 6)];
    const batch = model.losses(params, some, null).toArray() as number[][];
    for (const [row, chorale] of some.entries()) {
      const alone = (model.losses(params, [chorale], null).toArray() as number[][]).flat();
      for (const [t, losses] of batch.entries()) {
        expect(losses[row]).toBeCloseTo(alone[t] ?? 0, 3);
      }
    }
  });

  test("before it learns anything, a chord costs 88 bits or so", () => {
    const zero = { cell: params.cell, head: { W: params.head.W.mul(0), b: params.head.b.mul(0) } };
    expect(evaluate(model, zero, heldOut)).toBeCloseTo(88 * Math.LN2, 3);
  });
});

describe("baselines", () => {
  test("keys that never change cost nearly nothing when the step before counts", () => {
    const held = [Array.from({ length: 2000 }, () => [60, 64])];
    expect(frequencies(held, held, true)).toBeLessThan(0.05);
  });

  test("a key that sounds every second time costs one bit, or nothing by the step before", () => {
    const chords = Array.from({ length: 4001 }, (_, t) => (t % 2 === 0 ? [60] : []));
    expect(frequencies([chords], [chords], false)).toBeCloseTo(Math.LN2, 1);
    expect(frequencies([chords], [chords], true)).toBeLessThan(0.05);
  });
});

describe("voices drawn", () => {
  const probabilities = [0.2, 0.5, 0.7, 0.1];
  // All choices of two keys, by enumeration.
  const pairs = probabilities.flatMap((_, b) =>
    Array.from({ length: b }, (_, a) => {
      const product = probabilities.map((p, i) => (i === a || i === b ? p : 1 - p));
      return { pair: [a, b].join(), p: product.reduce((x, y) => x * y) };
    }),
  );
  const total = pairs.reduce((sum, { p }) => sum + p, 0);

  test("come with the probability that it is so many", () => {
    const { logProbability } = drawVoices(probabilities, 2, rng(1));
    expect(logProbability).toBeCloseTo(Math.log(total), 12);
    expect(drawVoices([], 0, rng(1))).toEqual({ drawn: [], logProbability: 0 });
  });

  test("are as frequent as they are probable", () => {
    const random = rng(4);
    const counts = new Map<string, number>();
    for (let i = 0; i < 4000; i++) {
      const pair = drawVoices(probabilities, 2, random).drawn.join();
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
    for (const { pair, p } of pairs) {
      const [n, q] = [4000, p / total];
      // Four standard deviations of a binomial count.
      expect(Math.abs((counts.get(pair) ?? 0) - n * q)).toBeLessThan(4 * Math.sqrt(n * q));
    }
  });
});

describe("what is played", () => {
  test("has the given soprano on top, and rests where it rests", () => {
    const soprano = [72, 71, undefined, 60, lowestKey, lowestKey + keys - 1];
    const options = { particles: 7, temperature: 1 };
    const harmony = harmonise(model, params, soprano, rng(2), options);
    expect(harmony.map((chord) => chord.at(-1))).toEqual(soprano);
    expect(harmony.map((chord) => chord.length)).toEqual([4, 4, 0, 4, 1, 4]);
  });

  test("is the same for the same seed", () => {
    const of = (seed: number) => compose(model, params, rng(seed), { steps: 5, temperature: 1 });
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });
});

test("a chorale moved by an octave has its roll moved by twelve keys", () => {
  const [roll, moved] = [rollOf(train[0]!), rollOf(transposed(train[0]!, 12))];
  expect(moved.map((row) => [...row.slice(12)])).toEqual(roll.map((row) => [...row.slice(0, -12)]));
});
