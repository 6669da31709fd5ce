import { concat, equal, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { liveView } from "@chronograd/autodiff/ndarray";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { type CountedLoss, defineCell, initialParams, truncated } from "../../src/index.ts";
import { distance, type Numbers, numbers, problem } from "./setup.ts";

type Loss = (y: Tensor, target: Tensor) => Tensor | CountedLoss;

/** Gradients and counts of a stream's windows; `between` is told of each. */
function windows(
  T: number,
  compile: boolean,
  loss: Loss,
  between: (index: number) => void = () => {},
): { gradients: Numbers; count: number; explained: string }[] {
  const { cell, params, steps } = problem("lstm", T, 3);
  const options = { k1: 4, k2: 8, loss, compile, reduction: "mean" as const };
  return Array.from(truncated(cell, params, steps, options), (window) => {
    between(window.index);
    const { gradients, count } = window;
    return { gradients: numbers(gradients), count, explained: window.explain() };
  });
}

const squares = (y: Tensor, target: Tensor) => y.sub(target).square();

test("without compile nothing is replayed: what the loss reads from outside acts at once", () => {
  let weight = 1;
  const weighted = (y: Tensor, target: Tensor) => squares(y, target).mul(weight);
  const same = windows(400, false, weighted);
  const found = windows(400, false, weighted, (index) => {
    if (index === 69) weight = 2;
  });
  expect(found[69]).toEqual(same[69]);
  // A factor of two changes no digit. The new losses alone are in a window.
  for (const [path, values] of Object.entries(same[70]!.gradients)) {
    expect(found[70]!.gradients[path]).toEqual(values.map((g) => 2 * g));
  }
});

/** What a model reads from outside, and how it changes. */
const impurities: readonly { what: string; make(): { loss: Loss; change(): void } }[] = [
  {
    what: "a number",
    make() {
      let weight = 1;
      return { loss: (y, x) => squares(y, x).mul(weight), change: () => (weight = 2) };
    },
  },
  {
    what: "the sign of zero",
    make() {
      let offset = 0;
      return { loss: (y, x) => squares(y, x).add(offset), change: () => (offset = -0) };
    },
  },
  {
    what: "a switch",
    make() {
      let isSmooth = true;
      return {
        loss: (y, x) => (isSmooth ? squares(y, x) : y.sub(x).abs()),
        change: () => (isSmooth = false),
      };
    },
  },
  {
    what: "the last element of a constant",
    make() {
      let mask = tensor([1, 1, 1], { dtype: "float64" });
      return {
        loss: (y, x) => squares(y, x).mul(mask),
        change: () => (mask = tensor([1, 1, 0], { dtype: "float64" })),
      };
    },
  },
  {
    what: "half of the bytes of a float64",
    make() {
      let mask = tensor([1, 1, 1], { dtype: "float64" });
      return {
        loss: (y, x) => squares(y, x).mul(mask),
        change: () => (mask = tensor([1, 1 + 2 ** -52, 1], { dtype: "float64" })),
      };
    },
  },
  {
    what: "an element written through a live view",
    make() {
      const mask = tensor([1, 1, 1], { dtype: "float64" });
      const view = liveView(mask);
      return { loss: (y, x) => squares(y, x).mul(mask), change: () => view.set(2, 0.5) };
    },
  },
  {
    what: "the count of tokens",
    make() {
      let count = 2;
      return { loss: (y, x) => ({ loss: squares(y, x), count }), change: () => (count = 3) };
    },
  },
  {
    what: "a count that is a constant tensor",
    make() {
      let count = tensor(2);
      return {
        loss: (y, x) => ({ loss: squares(y, x), count }),
        change: () => (count = tensor(3)),
      };
    },
  },
  {
    what: "the size of the loss",
    make() {
      let rows = 1;
      return {
        loss: (y, x) => concat(Array.from({ length: rows }, () => squares(y, x))),
        change: () => (rows = 2),
      };
    },
  },
];

describe("with compile", () => {
  test.each(impurities)("a stream refuses $what that changes, soon", ({ make }) => {
    for (const at of [0, 9, 700]) {
      const { loss, change } = make();
      let last = 0;
      const run = () =>
        windows(4 * 1300, true, loss, (index) => {
          last = index;
          if (index === at) change();
        });
      expect(run).toThrow(/is not what compile: true recorded|was changed through a live view/);
      // Chunks run between two checks: ever more at first, then 256.
      expect(last - at).toBeLessThan(at === 700 ? 257 : at + 3);
    }
  });

  test.each([160, 158])("a change in the last windows of %i steps is refused at the end", (T) => {
    const [number] = impurities;
    const { loss, change } = number!.make();
    let last = 0;
    const run = () =>
      windows(T, true, loss, (index) => {
        last = index;
        if (index === 36) change();
      });
    expect(run).toThrow(/is not what compile: true recorded|was changed through a live view/);
    expect(last).toBeGreaterThan(36);
  });

  test("the sentence says what has changed, and how to make it an input", () => {
    const [number, , branch, constant] = impurities;
    const said = [number!, branch!, constant!].map(({ make }) => {
      const { loss, change } = make();
      try {
        windows(100, true, loss, (index) => index === 1 && change());
      } catch (error) {
        return (error as Error).message;
      }
      return "nothing";
    });
    expect(said).toMatchInlineSnapshot(`
      [
        "truncated: at step 13 the model or the loss is not what compile: true recorded, since it takes something from outside that has changed: float64.scale took the number 1 and now 2; give it to the loop as part of a step, such as { input, target: { value, weight: tensor(0.5) } } for a loss (y, { value, weight }) => ..., or leave compile out",
        "truncated: at step 13 the model or the loss is not what compile: true recorded, since it takes something from outside that has changed: float64.square was called and now float64.abs; give it to the loop as part of a step, such as { input, target: { value, weight: tensor(0.5) } } for a loss (y, { value, weight }) => ..., or leave compile out",
        "truncated: at step 13 the model or the loss is not what compile: true recorded, since it takes something from outside that has changed: float64.mul reads a tensor from outside that has other values; give it to the loop as part of a step, such as { input, target: { value, weight: tensor(0.5) } } for a loss (y, { value, weight }) => ..., or leave compile out",
      ]
    `);
  });

  test("what the sentence offers works: a weight that is part of a step", () => {
    const { cell, params, steps } = problem("lstm", 200, 3);
    const weighted = (change: number) =>
      steps.map(({ input, target }, t) => {
        const weight = tensor(t < change ? 1 : 2, { dtype: "float64" });
        return { input, target: { value: target, weight } };
      });
    const run = (compile: boolean) =>
      Array.from(
        truncated(cell, params, weighted(100), {
          k1: 4,
          k2: 8,
          compile,
          loss: (y, { value, weight }) => squares(y, value).mul(weight),
        }),
        ({ gradients }) => numbers(gradients),
      );
    const [planned, plain] = [run(true), run(false)];
    for (const [j, expected] of plain.entries()) {
      expect(distance(planned[j]!, expected)).toBeLessThan(1e-12);
    }
  });

  test("a model that does something else each time is not planned, and says why", () => {
    const random = rng(1);
    let calls = 0;
    const said = [() => Math.sin(++calls), () => random.uniform()].map((draw) => {
      const loss: Loss = (y, x) => squares(y, x).mul(tensor([1, 1, draw()], { dtype: "float64" }));
      return windows(60, true, loss).at(-1)!.explained;
    });
    expect(said).toMatchInlineSnapshot(`
      [
        "chunk by chunk on tapes, because it does not do the same twice (random numbers, or a state of its own): float64.mul reads a tensor from outside that has other values",
        "chunk by chunk on tapes, because a random generator was drawn from, and a plan would repeat the draw; draw outside, and pass it as an argument",
      ]
    `);
  });

  test("a count of tokens may be a tensor, so that a padded loss is planned", () => {
    const { cell, params, steps } = problem("lstm", 96, 5);
    const padded = steps.map(({ input, target }, t) => ({
      input,
      target: { value: target, mask: tensor([[1], [t % 3 === 0 ? 0 : 1]], { dtype: "float64" }) },
    }));
    const run = (compile: boolean, reads: boolean) =>
      Array.from(
        truncated(cell, params, padded, {
          k1: 4,
          k2: 8,
          compile,
          reduction: "mean",
          loss: (y, { value, mask }) => {
            const count = mask.sum();
            return { loss: squares(y, value).mul(mask), count: reads ? count.item() : count };
          },
        }),
        (w) => ({
          ...numbers(w.gradients),
          of: [w.count, w.gradientCount, w.loss],
          said: w.explain(),
        }),
      );
    const [planned, onTape, reading] = [run(true, false), run(false, false), run(false, true)];
    expect(onTape).toEqual(reading);
    expect(planned.at(-1)!.said).toMatch(/^\d+ kernel calls/);
    for (const [j, { said: _, ...expected }] of onTape.entries()) {
      const { said: __, ...found } = planned[j]!;
      expect(distance(found, expected)).toBeLessThan(1e-12);
    }
    // Two rows at two of three steps, one at the third.
    expect(onTape[0]!.of[0]).toBe(2 * 4 - 2);
  });

  test("a state whose shape changes runs on tapes, with the reason", () => {
    const growing = defineCell({
      params: () => ({ w: { shape: [], draw: () => Float64Array.of(0.5) } }),
      state: () => ({ x: { shape: [1], draw: () => Float64Array.of(1) } }),
      step: ({ w }, input: Tensor, { x }) => {
        const next = concat(
          [
            x,
            x
              .slice([null, [0, 1]])
              .mul(w)
              .add(input),
          ],
          1,
        );
        return [next.sum(-1), { x: next }];
      },
    })({ input: 1, hidden: 1 });
    const params = initialParams(growing, rng(1), { dtype: "float64" });
    const steps = Array.from({ length: 20 }, () => ({
      input: zeros([1, 1], { dtype: "float64" }),
      target: zeros([1], { dtype: "float64" }),
    }));
    const run = (compile: boolean) =>
      Array.from(
        truncated(growing, params, steps, { k1: 2, k2: 4, compile, loss: squares }),
        (w) => ({ gradients: numbers(w.gradients), said: w.explain() }),
      );
    const [planned, plain] = [run(true), run(false)];
    expect(planned.map((w) => w.gradients)).toEqual(plain.map((w) => w.gradients));
    expect(planned.at(-1)!.said).toMatchInlineSnapshot(
      `"chunk by chunk on tapes, because a step changes the state's shape: x is Tensor float64 [1,1] before and Tensor float64 [1,2] after"`,
    );
  });

  test("chunks of other shapes are counted", () => {
    const { cell, params, steps } = problem("lstm", 40, 5);
    const loss: Loss = (y, x) => squares(y, x).mul(equal(x, x));
    const halves = steps.map(({ input, target }, t) =>
      t < 12 || t > 15 ? { input, target } : { input, target: target.slice([null, [0, 1]]) },
    );
    const run = (compile: boolean) =>
      Array.from(truncated(cell, params, halves, { k1: 4, k2: 8, compile, loss }), (w) => ({
        ...numbers(w.gradients),
        said: w.explain(),
      }));
    expect(run(true).at(-1)!.said).toMatch(/; 1 of 10 chunks ran on tapes, because/);
  });
});
