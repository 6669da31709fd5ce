import { grad, scope, tensor } from "@chronograd/autodiff";
import fc from "fast-check";
import { expect, test } from "vitest";
import { truncated, unroll } from "../../src/index.ts";
import {
  type AnyParams,
  cells,
  distance,
  type Numbers,
  numbers,
  problem,
} from "../truncated/setup.ts";
import { marked, rowsAlone, table } from "./marked.ts";

const settings = fc.record({
  name: fc.constantFrom(...Object.keys(cells)),
  T: fc.integer({ min: 1, max: 9 }),
  B: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(100_000),
  k1: fc.integer({ min: 1, max: 5 }),
  more: fc.nat(6),
  stale: fc.constantFrom("carry", "recompute", "defer"),
  losses: fc.constantFrom("new", "endpoint", "window"),
  reduction: fc.constantFrom("sum", "mean"),
  compile: fc.boolean(),
} as const);

test("a marked batch equals its rows, each run alone with the steps that it has: truncated in every mode", () => {
  fc.assert(
    fc.property(settings, ({ name, T, B, seed, k1, more, ...modes }) => {
      scope(() => {
        const p = problem(name, T, seed, B);
        const rows = table(T, B, seed);
        const k2 = k1 + more;
        const stream = truncated(p.cell, p.params, marked(p, rows), {
          ...modes,
          k1,
          k2,
          loss: p.loss,
        });
        const found = Array.from(stream, (w) => ({
          ...w,
          gradients: numbers(w.gradients),
          state: numbers(w.state),
        }));
        const spans = found.length === 1 && modes.stale === "defer" ? cuts(T, k1, k2) : found;
        const count = (t: number) => rows.mask[t - 1]!.reduce((a, b) => a + b, 0);
        let sum: Numbers = {};
        let tokens = 0;
        for (const [j, { start, newFrom, end }] of spans.entries()) {
          const isIn = (t: number) =>
            modes.losses === "new" ? t > newFrom : modes.losses === "window" ? true : t === end;
          const alone = rowsAlone(p, rows, start, end, (t) => (isIn(t) ? 1 : 0));
          for (let t = start + 1; t <= end; t++) if (isIn(t)) tokens += count(t);
          sum = add(sum, alone.gradients);
          if (modes.stale === "defer" && j < spans.length - 1) continue;
          const window = found[modes.stale === "defer" ? 0 : j]!;
          const scale = modes.reduction === "sum" ? 1 : tokens === 0 ? 0 : 1 / tokens;
          const expected = Object.fromEntries(
            Object.entries(sum).map(([path, xs]) => [path, xs.map((x) => x * scale)]),
          );
          expect(window.gradientCount).toBe(tokens);
          expect(distance(window.gradients, expected)).toBeLessThan(1e-12);
          [sum, tokens] = [{}, 0];
          if (modes.stale === "defer") continue;
          const own = alone.losses.slice(newFrom - start);
          expect(distance({ losses: [...window.losses] }, { losses: own })).toBeLessThan(1e-12);
          for (const [path, xs] of Object.entries(window.state)) {
            const each = alone.states.flatMap((state) => state[path]!);
            expect(distance({ xs }, { xs: each })).toBeLessThan(1e-12);
          }
        }
      });
    }),
    { numRuns: 300 },
  );
});

function add(a: Numbers, b: Numbers): Numbers {
  return Object.fromEntries(
    Object.entries(b).map(([path, xs]) => [path, xs.map((x, i) => x + (a[path]?.[i] ?? 0))]),
  );
}

function cuts(T: number, k1: number, k2: number) {
  const spans: { start: number; newFrom: number; end: number }[] = [];
  for (let newFrom = 0; newFrom < T; newFrom += k1) {
    const end = Math.min(newFrom + k1, T);
    spans.push({ start: Math.max(0, end - k2), newFrom, end });
  }
  return spans;
}

test("unroll gives each row what it gives alone, bit by bit, and its gradient", () => {
  const over = fc.record({
    name: fc.constantFrom(...Object.keys(cells)),
    T: fc.integer({ min: 1, max: 9 }),
    B: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(100_000),
  });
  fc.assert(
    fc.property(over, ({ name, T, B, seed }) => {
      scope(() => {
        const p = problem(name, T, seed, B);
        const rows = table(T, B, seed);
        const steps = marked(p, rows);
        const inputs = steps.map(({ input }) => input);
        const whole = (values: readonly (readonly number[])[]) =>
          tensor(Int32Array.from(values.flat()), { shape: [T, B] });
        const marks = { mask: whole(rows.mask), resets: whole(rows.resets) };
        const { outputs, state } = unroll(p.cell, p.params, inputs, marks);
        const alone = rowsAlone(p, rows, 0, T, () => 1);
        const width = outputs.shape[2]!;
        const expected = alone.outputs.flatMap((each) =>
          each.length === 0
            ? []
            : Array.from(
                { length: B },
                (_, row) => each[row] ?? new Array<number>(width).fill(0),
              ).flat(),
        );
        expect([...outputs.toTypedArray()].map(positive)).toEqual(expected.map(positive));
        for (const [path, xs] of Object.entries(numbers(state))) {
          expect(xs).toEqual(alone.states.flatMap((each) => each[path]!));
        }
        // The outputs of rows without a step are 0, and so is what flows back from them.
        const gradients = grad((params: AnyParams) => {
          const { outputs: ys } = unroll(p.cell, params, inputs, marks);
          const terms = steps.map(({ mask }, t) => {
            const target = p.steps[t]!.target;
            return ys.slice([t]).sub(target).square().sum(-1).mul(mask!.cast("float64")).sum();
          });
          return terms.reduce((a, b) => a.add(b));
        })(p.params);
        expect(distance(numbers(gradients), alone.gradients)).toBeLessThan(1e-12);
      });
    }),
    { numRuns: 200 },
  );
});

const positive = (x: number): number => (x === 0 ? 0 : x);
