import { grad, stack, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { type Course, sweepBands } from "../../src/flow/bands.ts";
import { withTrajectory } from "../../src/flow/trajectory.ts";
import {
  elman,
  gru,
  initialParams,
  learnedState,
  lstm,
  stacked,
  truncated,
  unroll,
  variationalDropout,
} from "../../src/index.ts";
import type { PlainCell } from "../../src/testing/draw.ts";

const sizes = { input: 2, hidden: 3 };
const models = {
  elman: elman(sizes),
  lstm: lstm(sizes),
  "stacked GRUs": stacked([gru(sizes), gru({ input: 3, hidden: 3 })]),
  "a learned state": learnedState(gru(sizes)),
  "dropout by window": variationalDropout(elman(sizes), { rate: 0.4 }),
} as unknown as Record<string, PlainCell>;

const B = 3;

function data(T: number, isMarked: boolean) {
  const random = rng(11);
  const draw = (columns: number) =>
    tensor(
      Float64Array.from({ length: B * columns }, () => random.normal()),
      { shape: [B, columns] },
    );
  const mark = (often: number) =>
    tensor(Int32Array.from({ length: B }, () => (random.uniform() < often ? 1 : 0)));
  return Array.from({ length: T }, () => ({
    input: draw(2),
    target: draw(3),
    ...(isMarked && { reset: mark(0.1), mask: mark(0.8) }),
  }));
}

const loss = (y: Tensor, target: Tensor) => y.sub(target).square().sum(-1);

function vectorOf(gradient: unknown): number[] {
  return tree.leaves(gradient).flatMap((x) => [...(x as Tensor).toTypedArray()]);
}

function distance(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  const scale = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]!))) / scale;
}

function add(vectors: readonly ArrayLike<number>[]): number[] {
  return Array.from(vectors[0]!, (_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0));
}

/** The bands of a model, and what truncation and full back-propagation give. */
function measured(name: string, T: number, k1: number, k2s: readonly number[], isMarked: boolean) {
  const cell = models[name]!;
  const params = initialParams(cell, rng(1), { dtype: "float64" }) as never;
  const steps = data(T, isMarked);
  const noise = () => ({ rng: rng(5) });
  const { vectors } = withTrajectory(
    "test",
    cell,
    params,
    steps,
    noise(),
    (trajectory) => {
      const course = { where: "test", cell, params, loss, trajectory } as unknown as Course<
        unknown,
        unknown,
        Tensor,
        Tensor,
        Tensor
      >;
      return sweepBands(course, { k1, k2s, from: 0, to: T });
    },
    k1,
  );
  const windows = (k2: number) =>
    add(
      Array.from(
        truncated(cell, params, steps, { k1, k2, loss, ...noise() } as never) as Iterable<{
          gradients: unknown;
        }>,
        ({ gradients }) => vectorOf(gradients),
      ),
    );
  return { cell, params, steps, vectors, windows };
}

for (const name of Object.keys(models)) {
  for (const isMarked of [false, true]) {
    test(`${name}: bands add up to windows${isMarked ? ", with marks" : ""}`, () => {
      for (const [T, k1, k2s] of [
        [13, 1, [1, 2, 5, 13]],
        [11, 3, [3, 4, 7]],
        [7, 9, [9]],
      ] as const) {
        const { vectors, windows } = measured(name, T, k1, k2s, isMarked);
        for (const [i, k2] of k2s.entries()) {
          expect(distance(add(vectors.slice(0, i + 1)), windows(k2))).toBeLessThan(1e-12);
        }
        // A window of all steps leaves nothing out.
        expect(distance(add(vectors), windows(20))).toBeLessThan(1e-12);
      }
    });
  }
}

test("all bands together are the gradient of unroll", () => {
  for (const name of ["elman", "lstm", "stacked GRUs", "a learned state"]) {
    const { cell, params, steps, vectors } = measured(name, 17, 2, [2, 5], false);
    const inputs = stack(steps.map(({ input }) => input));
    const targets = stack(steps.map(({ target }) => target));
    const full = grad((weights: never) =>
      loss(unroll(cell, weights, inputs).outputs as Tensor, targets).sum(),
    )(params);
    expect(distance(add(vectors), vectorOf(full))).toBeLessThan(1e-12);
  }
});
