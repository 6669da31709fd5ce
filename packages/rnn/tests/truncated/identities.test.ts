import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineCell, initialState, truncated } from "../../src/index.ts";
import {
  type AnyParams,
  type AnyState,
  byDefinition,
  cells,
  distance,
  numbers,
  problem,
  total,
  windowsOf,
} from "./setup.ts";

const cellNames = fc.constantFrom(...Object.keys(cells));
const seeds = fc.nat(10_000);
const lengths = fc.integer({ min: 1, max: 13 });
/** k1 <= k2, shorter and longer than the stream. */
const cuts = fc
  .tuple(fc.integer({ min: 1, max: 15 }), fc.nat(10))
  .map(([k1, more]) => ({ k1, k2: k1 + more }));
const stales = fc.constantFrom("carry" as const, "recompute" as const);
const runs = { numRuns: 40 };

describe("with frozen weights, in float64", () => {
  test("1. with k2 >= T the windows add up to full back-propagation, for any k1", () => {
    fc.assert(
      fc.property(
        cellNames,
        lengths,
        seeds,
        fc.integer({ min: 1, max: 15 }),
        stales,
        (name, T, seed, k1, stale) => {
          scope(() => {
            const p = problem(name, T, seed);
            const windows = windowsOf(p, { k1, k2: Math.max(T, k1), stale });
            const full = byDefinition(p, 0, T, () => 1);
            expect(distance(total(windows.map((w) => w.gradients)), full)).toBeLessThan(1e-12);
          });
        },
      ),
      runs,
    );
  });

  test("2. with k1 = k2 every window is an independent detached chunk, bitwise", () => {
    const chunks = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(cellNames, chunks, seeds, fc.integer({ min: 1, max: 6 }), (name, n, seed, k) => {
        scope(() => {
          const p = problem(name, n * k, seed);
          for (const { gradients, start, newFrom, end } of windowsOf(p, {
            k1: k,
            k2: k,
            compile: false,
          })) {
            expect(start).toBe(newFrom);
            expect(gradients).toEqual(byDefinition(p, start, end, () => 1));
          }
        });
      }),
      runs,
    );
  });

  test("3. with k1 = 1 the windows add up to the lag-masked sum: every loss reaches back fewer than k2 steps", () => {
    fc.assert(
      fc.property(
        cellNames,
        lengths,
        seeds,
        fc.integer({ min: 1, max: 8 }),
        (name, T, seed, k2) => {
          scope(() => {
            const p = problem(name, T, seed);
            const windows = windowsOf(p, { k1: 1, k2 });
            const masked = Array.from({ length: T }, (_, i) =>
              byDefinition(p, Math.max(0, i + 1 - k2), i + 1, (t) => (t === i + 1 ? 1 : 0)),
            );
            expect(distance(total(windows.map((w) => w.gradients)), total(masked))).toBeLessThan(
              1e-12,
            );
          });
        },
      ),
      runs,
    );
  });

  test("4. a window's gradient is that of central differences of its surrogate", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("elman", "lstm", "gru"),
        fc.integer({ min: 1, max: 7 }),
        seeds,
        cuts,
        fc.constantFrom("new" as const, "endpoint" as const, "window" as const),
        stales,
        (name, T, seed, { k1, k2 }, losses, stale) => {
          scope(() => {
            const p = problem(name, T, seed);
            for (const w of windowsOf(p, { k1, k2, losses, stale })) {
              const first =
                losses === "new" ? w.newFrom + 1 : losses === "endpoint" ? w.end : w.start + 1;
              /**
               * The window's objective as a function of the weights after `start`; before it they
               * stay frozen.
               */
              const surrogate = (moved: AnyParams): number =>
                scope(() => {
                  let state = initialState(p.cell, 2, { dtype: "float64" });
                  let sum = 0;
                  for (let t = 1; t <= w.end; t++) {
                    const { input, target } = p.steps[t - 1]!;
                    const [y, next] = p.cell.step(t <= w.start ? p.params : moved, input, state);
                    state = next;
                    if (t >= first) sum += p.loss(y, target).sum().item();
                  }
                  return sum;
                });
              tree.map(p.params, (x: Tensor, path) => {
                const values = x.toTypedArray();
                const i = seed % values.length;
                const at = (h: number) => {
                  const moved = values.slice();
                  moved[i]! += h;
                  return surrogate(
                    tree.map(p.params, (leaf: Tensor, where) =>
                      where === path ? tensor(moved, { shape: x.shape }) : leaf,
                    ) as AnyParams,
                  );
                };
                const slope = (h: number) => (at(h) - at(-h)) / (2 * h);
                const numeric = (4 * slope(5e-4) - slope(1e-3)) / 3;
                expect(w.gradients[path]![i]!).toBeCloseTo(numeric, 7);
              });
            }
          });
        },
      ),
      { numRuns: 15 },
    );
  });

  test("every window of every mode is the gradient of its definition", () => {
    fc.assert(
      fc.property(
        cellNames,
        lengths,
        seeds,
        cuts,
        fc.constantFrom("new" as const, "endpoint" as const, "window" as const),
        stales,
        fc.boolean(),
        (name, T, seed, { k1, k2 }, losses, stale, multiplicity) => {
          scope(() => {
            const p = problem(name, T, seed);
            const weighted = multiplicity && losses === "window";
            const windows = windowsOf(p, { k1, k2, losses, stale, multiplicity: weighted });
            expect(windows.map((w) => w.end)).toEqual(
              Array.from({ length: Math.ceil(T / k1) }, (_, j) => Math.min((j + 1) * k1, T)),
            );
            for (const w of windows) {
              expect(w.start).toBe(Math.max(0, w.end - k2));
              // The number of windows that a step is in, counted on a stream much longer than they
              // are.
              const times = (t: number) =>
                Array.from({ length: 60 }, (_, j) => (j + 1) * k1).filter(
                  (e) => e >= t && e - k2 < t,
                ).length;
              const weight = (t: number) => {
                if (losses === "endpoint") return t === w.end ? 1 : 0;
                if (losses === "new") return t > w.newFrom ? 1 : 0;
                return weighted ? 1 / times(t) : 1;
              };
              const expected = byDefinition(p, w.start, w.end, weight);
              expect(distance(w.gradients, expected)).toBeLessThan(1e-12);
            }
          });
        },
      ),
      runs,
    );
  });

  test("5. nothing flows to what was recorded before s_j: absent, not small", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 10 }), cuts, (seed, T, { k1, k2 }) => {
        scope(() => {
          // The input's weight acts at step 1 alone, so a window that starts later must not see it
          // at all.
          const cell = defineCell({
            params: () => ({ ...onlyFirst, w: { shape: [], draw: () => Float64Array.of(0.5) } }),
            state: () => ({ h: { shape: [1], draw: () => Float64Array.of(0) } }),
            step: ({ first, w }, x: Tensor, { h }) => {
              const isFirst = x.toTypedArray()[0] === 1;
              const next = isFirst ? h.add(first) : h.mul(w).tanh();
              return [next, { h: next }];
            },
          })({ input: 1, hidden: 1 });
          const params = {
            first: tensor(0.7 + seed / 1e5, { dtype: "float64" }),
            w: tensor(0.5, { dtype: "float64" }),
          };
          const steps = Array.from({ length: T }, (_, i) => ({
            input: tensor([i === 0 ? 1 : 0], { dtype: "float64" }),
            target: tensor([0], { dtype: "float64" }),
          }));
          const windows = truncated(cell, params, steps, {
            k1,
            k2,
            loss: (y: Tensor) => y.square(),
            state: { h: tensor([[0.1]], { dtype: "float64" }) },
          });
          for (const { gradients, start } of windows) {
            const g = gradients.first.item();
            if (start > 0) expect(Object.is(g, 0)).toBe(true);
            else expect(g).not.toBe(0);
          }
        });
      }),
      runs,
    );
  });

  test("8. forward values do not depend on k1 and k2, bitwise", () => {
    fc.assert(
      fc.property(
        cellNames,
        lengths,
        seeds,
        cuts,
        cuts,
        stales,
        stales,
        (name, T, seed, a, b, s, u) => {
          scope(() => {
            const p = problem(name, T, seed);
            const losses = (cut: { k1: number; k2: number }, stale: "carry" | "recompute") =>
              windowsOf(p, { ...cut, stale }).flatMap((w) => w.losses);
            expect(losses(a, s)).toEqual(losses(b, u));
            expect(losses(a, s)).toHaveLength(T);
          });
        },
      ),
      runs,
    );
  });

  test("10. a row that is reset inside a batch is that row alone, from there on", () => {
    const places = fc.tuple(fc.nat(12), fc.nat(2));
    fc.assert(
      fc.property(
        cellNames,
        lengths,
        seeds,
        cuts,
        stales,
        places,
        (name, T, seed, cut, stale, place) => {
          scope(() => {
            const p = problem(name, T, seed, 3);
            const [before, row] = [place[0] % T, place[1]];
            const own = (x: Tensor) => x.slice([[row, row + 1]]);
            const alone = {
              ...p,
              steps: p.steps.slice(before).map((step) => {
                return { input: own(step.input), target: own(step.target) };
              }),
            };
            const steps = p.steps.map((step, t) => ({
              ...step,
              // Only the row after its reset has a loss.
              target: t < before ? step.target.mul(Number.NaN) : step.target,
              reset: tensor(Int32Array.from([0, 1, 2], (r) => Number(t === before && r === row))),
            }));
            const loss = (y: Tensor, target: Tensor) =>
              Number.isNaN(target.toTypedArray()[0]) ? null : own(p.loss(y, target));
            const state = tree.map(initialState(p.cell, 3, { dtype: "float64" }), (x: Tensor) =>
              x.add(seed / 1e4),
            ) as AnyState;
            for (const w of truncated(p.cell, p.params, steps, { ...cut, stale, loss, state })) {
              if (w.end <= before) continue;
              const [start, newFrom, end] = [w.start, w.newFrom, w.end].map((t) => t - before);
              const from = Math.max(0, start!);
              const expected = byDefinition(alone, from, end!, (t) => (t > newFrom! ? 1 : 0));
              expect(distance(numbers(w.gradients), expected)).toBeLessThan(1e-12);
            }
          });
        },
      ),
      runs,
    );
  });

  test("defer yields one window with the sum of all", () => {
    fc.assert(
      fc.property(cellNames, lengths, seeds, cuts, (name, T, seed, cut) => {
        scope(() => {
          const p = problem(name, T, seed);
          const all = windowsOf(p, cut);
          const [one, ...rest] = windowsOf(p, { ...cut, stale: "defer" });
          expect(rest).toEqual([]);
          expect(distance(one!.gradients, total(all.map((w) => w.gradients)))).toBeLessThan(1e-12);
          expect(one!.losses).toEqual(all.flatMap((w) => w.losses));
        });
      }),
      runs,
    );
  });

  test("the mean is the sum divided by the count of tokens", () => {
    fc.assert(
      fc.property(cellNames, lengths, seeds, cuts, (name, T, seed, cut) => {
        scope(() => {
          const p = problem(name, T, seed);
          const sums = windowsOf(p, cut);
          const means = windowsOf(p, { ...cut, reduction: "mean" });
          for (const [j, w] of means.entries()) {
            const scaled = Object.fromEntries(
              Object.entries(sums[j]!.gradients).map(([path, g]) => [
                path,
                g.map((x) => x / w.count),
              ]),
            );
            expect(w.count).toBe(2 * (w.end - w.newFrom));
            expect(distance(w.gradients, scaled)).toBeLessThan(1e-14);
          }
        });
      }),
      runs,
    );
  });
});

const onlyFirst = { first: { shape: [], draw: () => Float64Array.of(0.7) } };

test("11. x_t = w x_{t-1}, x_0 = 0.9, w = 0.2, loss x_t, k1 = 1: 0.9, 0.36, 0.108 for k2 >= 3", () => {
  const cell = defineCell({
    params: () => ({ w: { shape: [], draw: () => Float64Array.of(0.2) } }),
    state: () => ({ x: { shape: [1], draw: () => Float64Array.of(0.9) } }),
    step: ({ w }, _input: Tensor, { x }) => {
      const next = w.mul(x);
      return [next, { x: next }];
    },
  })({ input: 1, hidden: 1 });
  const params = { w: tensor(0.2, { dtype: "float64" }) };
  const state = { x: tensor([[0.9]], { dtype: "float64" }) };
  const step = { input: tensor([[0]]), target: tensor([[0]]) };
  const gradients = (k2: number) =>
    Array.from(
      truncated(cell, params, [step, step, step], { k1: 1, k2, loss: (x: Tensor) => x, state }),
      (w) => numbers(w.gradients).w![0]!,
    );
  for (const k2 of [3, 4, 10]) {
    const [first, second, third] = gradients(k2) as [number, number, number];
    expect(first).toBeCloseTo(0.9, 15);
    expect(second).toBeCloseTo(0.36, 15);
    expect(third).toBeCloseTo(0.108, 15);
  }
  // With k2 = 1 only the last product varies: x_{t-1} itself.
  expect(gradients(1)[2]).toBeCloseTo(0.9 * 0.2 ** 2, 15);
});
