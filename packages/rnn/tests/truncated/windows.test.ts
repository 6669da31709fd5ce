import { scope, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineCell, type TimeStep, type TruncatedOptions, truncated } from "../../src/index.ts";
import { distance, half, line, modes, numbers, problem, total } from "./setup.ts";

const step: TimeStep = { input: tensor([[0]]), target: tensor([[0]]) };
const steps = (T: number): TimeStep[] => Array.from({ length: T }, () => step);
/** The loss of step t is x_t = 2^-t, exactly. */
const loss = (x: Tensor): Tensor => x;

type Options = Partial<TruncatedOptions<typeof line.state>>;
function windows(T: number, options: Options) {
  return Array.from(truncated(line, half(), steps(T), { k1: 2, k2: 3, loss, ...options }));
}

describe("what a window says", () => {
  test.each([
    ["carry", "sum"],
    ["carry", "mean"],
    ["recompute", "sum"],
    ["recompute", "mean"],
  ] as const)("%s, %s: index, span, losses and counts", (stale, reduction) => {
    const all = windows(5, { stale, reduction, losses: "window" });
    expect(all.map((w) => w.index)).toEqual([0, 1, 2]);
    expect(all.map((w) => [w.start, w.newFrom, w.end])).toEqual([
      [0, 0, 2],
      [1, 2, 4],
      [2, 4, 5],
    ]);
    expect(all.map((w) => w.losses)).toEqual([[1 / 2, 1 / 4], [1 / 8, 1 / 16], [1 / 32]]);
    // The loss is that of the new steps, the gradient that of all.
    expect(all.map((w) => w.count)).toEqual([2, 2, 1]);
    expect(all.map((w) => w.gradientCount)).toEqual([2, 3, 3]);
    const sums = [3 / 4, 3 / 16, 1 / 32];
    expect(all.map((w) => w.loss)).toEqual(reduction === "sum" ? sums : [3 / 8, 3 / 32, 1 / 32]);
    expect(all.map((w) => w.reduction)).toEqual([reduction, reduction, reduction]);
  });

  test.each(["sum", "mean"] as const)("defer, %s: one window over everything", (reduction) => {
    const [window, ...rest] = windows(5, { stale: "defer", reduction, losses: "window" });
    expect(rest).toEqual([]);
    expect(window).toMatchObject({
      index: 0,
      start: 0,
      newFrom: 0,
      end: 5,
      losses: [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32],
      loss: reduction === "sum" ? 31 / 32 : 31 / 160,
      count: 5,
      gradientCount: 8,
      reduction,
    });
  });

  test.each(modes)("%s: the state after its last step", (stale) => {
    const params = half();
    const ends: number[] = [];
    for (const { state, end } of truncated(line, params, steps(5), { k1: 2, k2: 3, loss, stale })) {
      expect(state.x.toArray()).toEqual([[2 ** -end]]);
      expect(state.x.tape).toBeNull();
      ends.push(end);
    }
    expect(ends).toEqual(stale === "defer" ? [5] : [2, 4, 5]);
  });

  test.each(["carry", "recompute"] as const)(
    "%s: the entries on the tape are those of its steps, not one more",
    (stale) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 12 }),
          fc.integer({ min: 1, max: 5 }),
          fc.nat(4),
          (T, k1, more) => {
            // A step of `line` is one product, and its loss is the output itself.
            for (const w of windows(T, { k1, k2: k1 + more, stale, compile: false })) {
              expect(w.entries).toBe(w.end - w.start);
            }
          },
        ),
      );
    },
  );

  test.each(modes)("%s: norms by the state where they are asked for, nowhere else", (stale) => {
    for (const w of windows(5, { stale })) expect("stateGradientNorms" in w).toBe(false);
    const asked: number[] = [];
    const measure = (window: number) => {
      asked.push(window);
      return window === 1;
    };
    const norms = windows(5, { stale, measure }).map((w) => w.stateGradientNorms);
    // L = x_3 + x_4 with x_1 constant: by x_1 w^2 + w^3, by x_2 w + w^2; by x_3 only x_4 counts: w.
    expect(norms).toEqual(
      stale === "defer" ? [undefined] : [undefined, [3 / 8, 3 / 4, 1 / 2], undefined],
    );
    if (stale !== "defer") expect(asked).toEqual([0, 1, 2]);
  });

  // A step may have no loss, and a loss that is there may count nothing: it is divided by nothing,
  // and weighs nothing.
  test.each(modes)("%s: of no tokens, every mean and its gradient is 0", (stale) => {
    for (const none of [() => null, (x: Tensor) => ({ loss: x, count: 0 })]) {
      const options = { k1: 2, k2: 3, stale, reduction: "mean" as const, loss: none };
      for (const w of truncated(line, half(), steps(5), options)) {
        expect([w.loss, w.count, w.gradientCount]).toEqual([0, 0, 0]);
        expect(w.gradients.w.item()).toBe(0);
      }
    }
  });

  test.each([-1, Number.NaN, Infinity])("a count of %s is refused", (count) => {
    expect(() => windows(5, { loss: (x: Tensor) => ({ loss: x, count }) })).toThrow(
      `truncated: the count of step 1's loss must be a number of at least 0, got ${count}`,
    );
  });
});

test("the mean of a deferred stream is its sum, divided by the tokens that its gradient counts", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("elman", "lstm", "gru"),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(10_000),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(4),
      fc.constantFrom("new" as const, "endpoint" as const, "window" as const),
      (name, T, seed, k1, more, losses) => {
        scope(() => {
          const p = problem(name, T, seed);
          const run = (options: object) =>
            Array.from(
              truncated(p.cell, p.params, p.steps, {
                k1,
                k2: k1 + more,
                losses,
                loss: p.loss,
                ...options,
              }),
              (w) => ({
                gradients: numbers(w.gradients),
                n: w.gradientCount,
                state: numbers(w.state),
              }),
            );
          const parts = run({});
          const n = parts.reduce((sum, w) => sum + w.n, 0);
          const mean = Object.fromEntries(
            Object.entries(total(parts.map((w) => w.gradients))).map(([path, g]) => [
              path,
              g.map((x) => x / n),
            ]),
          );
          const [deferred] = run({ stale: "defer", reduction: "mean" });
          expect(deferred!.n).toBe(n);
          expect(distance(deferred!.gradients, mean)).toBeLessThan(1e-12);
          expect(deferred!.state).toEqual(parts.at(-1)!.state);
        });
      },
    ),
    { numRuns: 40 },
  );
});

test("the new steps of a window use the weights of its beginning", () => {
  let w = 0.5;
  const params = () => ({ w: tensor(w, { dtype: "float64" }) });
  function* changing(): Generator<TimeStep> {
    for (let t = 1; t <= 4; t++) {
      yield step;
      // In the middle of a window: what the next one sees.
      w = t + 1;
    }
  }
  const losses = Array.from(
    truncated(line, params, changing(), { k1: 2, k2: 2, loss }),
    (window) => window.losses,
  );
  // w is 1/2 when the first window begins, and 3 at step 3, when the second does.
  expect(losses).toEqual([
    [1 / 2, 1 / 4],
    [3 / 4, 9 / 4],
  ]);
});

describe("a state that no tape tracks", () => {
  /**
   * x_t = w x_{t-1} + u_{t-1} + n, whose state keeps the last input u and an integer n as they are.
   */
  const echo = defineCell({
    params: () => ({ w: { shape: [], draw: () => Float64Array.of(0.5) } }),
    state: () => ({
      x: { shape: [], draw: () => Float64Array.of(0) },
      u: { shape: [], draw: () => Float64Array.of(0) },
      n: { shape: [], draw: () => Float64Array.of(0) },
    }),
    step: ({ w }, input: Tensor, { x, u, n }) => {
      const next = w.mul(x).add(u).add(n.cast("float64"));
      return [next, { x: next, u: input, n }];
    },
  })({ input: 1, hidden: 1 });
  const f64 = (x: number) => tensor(x, { dtype: "float64" });
  const state = () => ({ x: f64(0), u: f64(8), n: tensor(Int32Array.of(4), { shape: [] }) });
  function* inputs(): Generator<TimeStep> {
    for (const u of [16, 32, 64]) yield { input: f64(u), target: f64(0) };
  }
  // x_1 = 0 + 8 + 4, x_2 = 6 + 16 + 4, x_3 = 13 + 32 + 4.
  const expected = [12, 26, 49];

  test.each(["carry", "recompute"] as const)(
    "%s: lives as long as the steps that read it",
    (stale) => {
      for (const k2 of [1, 2, 3]) {
        const options = { k1: 1, k2, stale, loss, state: state() };
        const found = Array.from(truncated(echo, half(), inputs(), options), (w) => {
          expect(w.state.n.item()).toBe(4);
          expect(w.state.n.dtype).toBe("int32");
          return w.loss;
        });
        expect(found).toEqual(expected);
      }
    },
  );

  test.each(["carry", "recompute"] as const)(
    "%s: may come from a scope that ends between two windows",
    (stale) => {
      const params = half();
      const found: number[] = [];
      const { rest } = scope(() => {
        const options = { k1: 1, k2: 1, stale, loss, state: state() };
        const windows = truncated(echo, params, inputs(), options);
        found.push(windows.next().value!.loss);
        return { rest: windows };
      });
      for (const window of rest) found.push(window.loss);
      expect(found).toEqual(expected);
    },
  );

  test("has no gradient, so its norm is that of the rest", () => {
    const options = { k1: 1, k2: 1, loss, state: state(), measure: () => true, compile: false };
    const norms = Array.from(
      truncated(echo, half(), inputs(), options),
      (w) => w.stateGradientNorms,
    );
    // At the first cut u is a leaf of the tape like x, and dL/dx = w, dL/du = 1; later it is a
    // plain input.
    expect(norms).toEqual([[Math.hypot(0.5, 1)], [0.5], [0.5]]);
  });
});

describe.each(modes)("%s: what is made of a window", (stale) => {
  test("ends with it, and says so", () => {
    const kept: Tensor[] = [];
    const copies: Tensor[] = [];
    const states: { x: Tensor }[] = [];
    const all = truncated(line, half(), steps(6), { k1: 2, k2: 4, loss, stale });
    for (const window of all) {
      kept.push(window.gradients.w, window.gradients.w.mul(2));
      copies.push(tree.map(window.state, (x: Tensor) => x.clone()).x);
      states.push(window.state);
    }
    for (const value of [...kept, ...states.map(({ x }) => x)]) {
      expect(() => value.sum()).toThrow(
        /is gone: its window is over; clone\(\) what should outlive the window/,
      );
    }
    const ends = stale === "defer" ? [6] : [2, 4, 6];
    expect(copies.map((x) => x.item())).toEqual(ends.map((end) => 2 ** -end));
  });
});

describe.each(modes)("%s: what came with the steps", (stale) => {
  test("ends with the last window that can reach it, the rest with the stream", () => {
    const [T, k1, k2] = [9, 2, 3];
    const inputs: Tensor[] = [];
    const outputs: Tensor[] = [];
    function* noted(): Generator<TimeStep> {
      for (let t = 1; t <= T; t++) {
        const input = zeros([1, 1]);
        inputs.push(input);
        yield { input, target: zeros([1, 1]) };
      }
    }
    const note = (x: Tensor): Tensor => {
      outputs.push(x);
      return x;
    };
    const isGone = (x: Tensor): boolean => x.block.holders === 0;
    for (const { end } of truncated(line, half(), noted(), {
      k1,
      k2,
      loss: note,
      stale,
      compile: false,
    })) {
      if (stale === "defer") break;
      // Carried steps go when the last step runs, one later than they left the tape: the state may
      // be an input. A rerun needs those after `end + 1 - k2`.
      const last = stale === "carry" ? end - k2 - 1 : end + 1 - k2;
      expect(inputs.map(isGone)).toEqual(inputs.map((_, i) => i + 1 <= last));
    }
    expect(() => inputs[0]!.add(1)).toThrow(
      /is gone: it came with a time step that is more than k2 steps back; make what all steps share outside of the stream/,
    );
    expect(inputs.filter((x) => !isGone(x))).toEqual([]);
    expect(() => outputs.at(-1)!.add(1)).toThrow(/is gone: the stream of windows has ended/);
    if (stale !== "recompute") {
      expect(() => inputs.at(-1)!.add(1)).toThrow(/is gone: the stream of windows has ended/);
    }
  });
});

test("a weight as a step saw it is of no use after the stream", () => {
  const seen: Tensor[] = [];
  const curious: typeof line = {
    ...line,
    step: (params, x, state) => {
      seen.push(params.w);
      return line.step(params, x, state);
    },
  };
  const params = half();
  for (const _ of truncated(curious, params, steps(2), { k1: 1, k2: 1, loss, compile: false }));
  expect(() => seen[0]!.mul(seen[0]!)).toThrowErrorMatchingInlineSnapshot(
    `[Error: mul: the tape has ended: the stream of windows has ended; make the tape in the scope that uses it, or detach(...) the value]`,
  );
});
