import { concat, type Tensor, tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { gru, initialParams, lstm } from "@chronograd/rnn";
import { type FixedPoint, fixedPoints, visitedStates } from "@chronograd/rnn/flow";
import { expect, test } from "vitest";
import { linearMap, mapCell, plain, stateOf, stepsOf } from "./maps.ts";

const still = (size: number) => tensor([new Array<number>(size).fill(0)], { dtype: "float64" });

const bySize = (points: readonly FixedPoint[]) =>
  points.toSorted((a, b) => a.state[0]! - b.state[0]!);

test("h = tanh(2 h) has three, the one in the middle unstable", () => {
  const cell = mapCell(1, (h) => h.mul(2).tanh());
  const starts = stateOf([[-3], [-0.5], [-0.01], [0.02], [0.6], [4]]);
  const found = fixedPoints(cell, plain, { input: still(1), starts });
  expect([found.points.length, found.lost, found.starts]).toEqual([3, 0, 6]);
  const [low, middle, high] = bySize(found.points) as [FixedPoint, FixedPoint, FixedPoint];
  // The solution of x = tanh(2 x), of which tanh(2 x) has the slope 2 (1 - x^2).
  const x = 0.9575040240772686;
  expect(low.state[0]).toBeCloseTo(-x, 14);
  expect(middle.state[0]).toBeCloseTo(0, 10);
  expect(high.state[0]).toBeCloseTo(x, 14);
  expect([low, middle, high].map(({ isStable }) => isStable)).toEqual([true, false, true]);
  expect([low, middle, high].map(({ unstable }) => unstable)).toEqual([0, 1, 0]);
  expect(middle.eigenvalues[0]![0]).toBeCloseTo(2, 12);
  expect(high.eigenvalues[0]![0]).toBeCloseTo(2 * (1 - x * x), 12);
  expect(found.points.map(({ found: searches }) => searches).reduce((a, b) => a + b)).toBe(6);
});

test("a saddle between two nodes has one stable and one unstable direction", () => {
  const cell = mapCell(2, (h) => {
    const [x, y] = h.split([1, 1], -1) as [Tensor, Tensor];
    return concat([x.mul(2).tanh(), y.mul(-0.5)], -1);
  });
  const starts = stateOf([
    [0.1, 1],
    [-0.1, -1],
    [2, 2],
    [-2, 2],
  ]);
  const { points } = fixedPoints(cell, plain, { input: still(2), starts });
  const saddle = points.find(({ unstable }) => unstable === 1)!;
  expect(Math.hypot(...saddle.state)).toBeLessThan(1e-10);
  expect(saddle.eigenvalues.flat().map((value) => Math.round(value * 1e10) / 1e10)).toEqual([
    2, 0, -0.5, 0,
  ]);
  expect(points.filter(({ isStable }) => isStable).length).toBe(2);
});

test("where two fixed points have just vanished there is a slow one", () => {
  // h + h^2 + e has no fixed point for e > 0, and leaves 0 with a speed of e.
  const e = 1e-3;
  const cell = mapCell(1, (h) => h.add(h.square()).add(e));
  const starts = stateOf([[-0.5], [0.3], [0.001]]);
  const { points } = fixedPoints(cell, plain, { input: still(1), starts });
  expect(points.map(({ kind, found }) => [kind, found])).toEqual([["slow", 3]]);
  expect(points[0]!.q / ((e * e) / 2)).toBeCloseTo(1, 6);
  expect(points[0]!.eigenvalues[0]![0]).toBeCloseTo(1, 3);
  const strict = fixedPoints(cell, plain, { input: still(1), starts, slow: 1e-8 });
  expect([strict.points.length, strict.lost]).toEqual([0, 3]);
});

test("a rotation has the eigenvalues a +- ib, and its input moves the point", () => {
  const cell = linearMap([
    [0.6, -0.9],
    [0.9, 0.6],
  ]);
  const input = tensor([[1, 2]], { dtype: "float64" });
  const { points } = fixedPoints(cell, plain, { input, starts: stateOf([[3, 3]]) });
  // (I - A) h = x with I - A = [[0.4, 0.9], [-0.9, 0.4]], whose determinant is 0.97.
  const [point] = points as [FixedPoint];
  expect(point.state[0]).toBeCloseTo((0.4 - 1.8) / 0.97, 12);
  expect(point.state[1]).toBeCloseTo((0.9 + 0.8) / 0.97, 12);
  expect(point.eigenvalues[0]![0]).toBeCloseTo(0.6, 12);
  expect(point.eigenvalues[0]![1]).toBeCloseTo(0.9, 12);
  expect([point.radius > 1, point.unstable, point.isStable]).toEqual([true, 2, false]);
});

test("points of a cell with several leaves stay where they are", () => {
  const cell = lstm({ input: 2, hidden: 3 });
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const random = rng(2);
  const draw = () =>
    tensor(
      Float64Array.from({ length: 9 }, () => random.normal()),
      { shape: [3, 3] },
    );
  const input = tensor([[1, -1]], { dtype: "float64" });
  const { size, points } = fixedPoints(cell, params, { input, starts: { h: draw(), c: draw() } });
  expect(size).toBe(6);
  for (const { state, kind } of points) {
    const [h, c] = [state.slice(0, 3), state.slice(3)].map((x) =>
      tensor([x], { dtype: "float64" }),
    );
    const [, after] = cell.step(params, input, { h: h!, c: c! });
    const moved = [...after.h.toTypedArray(), ...after.c.toTypedArray()].map(
      (x, i) => x - state[i]!,
    );
    expect(kind).toBe("fixed");
    expect(Math.hypot(...moved)).toBeLessThan(1e-9);
  }
});

test("float32 finds the points of float64", () => {
  const cell = gru({ input: 2, hidden: 4 });
  const of = (dtype: "float32" | "float64") => {
    const params = initialParams(cell, rng(1), { dtype });
    const starts = { h: tensor([[0.5, -0.5, 0.1, 0.9]], { dtype }) };
    return fixedPoints(cell, params, { input: tensor([[0.5, -1]], { dtype }), starts }).points;
  };
  const [single, double] = [of("float32"), of("float64")];
  expect(single.map(({ kind }) => kind)).toEqual(["fixed"]);
  for (const [i, x] of double[0]!.state.entries()) expect(single[0]!.state[i]).toBeCloseTo(x, 5);
});

test("states that a model visits are spread over its steps and rows", () => {
  const cell = linearMap([[2]]);
  const state = stateOf([[1], [-1]]);
  const inputs = tensor(new Float64Array(8), { shape: [4, 2, 1] });
  const of = (count: number, lengths: number[]) =>
    Array.from(visitedStates(cell, plain, { inputs, lengths }, { state, count }).h.toTypedArray());
  expect(of(64, [4, 2])).toEqual([2, -2, 4, -4, 8, 16]);
  expect(of(2, [4, 4])).toEqual([4, 16]);
  expect(visitedStates(cell, plain, stepsOf(3, 2, 1), { state }).h.shape).toEqual([6, 1]);
});
