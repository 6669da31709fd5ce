import { compile, grad, hvp, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { initialParams, initialState, lstm, minGru, unroll } from "../../src/index.ts";
import { distance, numbers } from "../truncated/setup.ts";

const cell = lstm({ input: 2, hidden: 3 });
const params = initialParams(cell, rng(1), { dtype: "float64" });
const [T, B] = [5, 2];
const random = rng(2);
const values = Float64Array.from({ length: T * B * 2 }, () => random.normal());
const clean = tensor(values, { shape: [T, B, 2] });
/** NaN behind the third step of row 1. */
const poisoned = tensor(
  values.map((x, i) => (i >= 3 * B * 2 && Math.floor(i / 2) % 2 === 1 ? Number.NaN : x)),
  { shape: [T, B, 2] },
);

test("a compiled function takes lengths that change, with NaN in the padding", () => {
  const total = (p: typeof params, x: Tensor, lengths: Tensor) =>
    unroll(cell, p, x, { lengths }).outputs.square().sum();
  const compiled = compile(total);
  for (const lengths of [
    [5, 3],
    [5, 2],
    [1, 0],
    [0, 0],
    [5, 3],
    [0, 1],
  ]) {
    const given = tensor(Int32Array.from(lengths));
    const expected = total(params, poisoned, given).item();
    expect(compiled(params, poisoned, given).item()).toBeCloseTo(expected, 12);
    expect(Number.isFinite(expected)).toBe(true);
  }
  expect(compiled.explain()).not.toMatch(/not compiled/);
});

test.each([false, true])("gradients with lengths are planned, in parallel: %s", (parallel) => {
  const model = minGru({ input: 2, hidden: 3 });
  const own = initialParams(model, rng(1), { dtype: "float64" });
  const f = (p: typeof own, x: Tensor, lengths: Tensor) =>
    grad((q: typeof own) => unroll(model, q, x, { lengths, parallel }).outputs.square().sum())(p);
  const planned = compile(f);
  for (const lengths of [
    [5, 3],
    [0, 2],
    [0, 0],
    [1, 0],
  ]) {
    const given = tensor(Int32Array.from(lengths));
    const [found, expected] = [planned, f].map((each) => numbers(each(own, poisoned, given)));
    expect(distance(found!, expected!)).toBeLessThan(1e-12);
  }
  expect(planned.explain()).not.toMatch(/not compiled/);
});

test("second derivatives do not see the padding, bit by bit", () => {
  const loss = (x: Tensor) => (p: typeof params) =>
    unroll(cell, p, x, { lengths: [5, 3] })
      .outputs.square()
      .sum();
  const along = tree.map(params, (x: Tensor) => x.mul(0).add(0.1)) as typeof params;
  const [found, expected] = [poisoned, clean].map((x) => numbers(hvp(loss(x), params, along)));
  expect(found).toEqual(expected);
});

test("a state of NaN in a row that is reset at its first step reaches nothing", () => {
  const { c } = initialState(cell, B, { dtype: "float64" });
  const h = tensor([Number.NaN, 0].flatMap((x) => [x, x, x]))
    .reshape([B, 3])
    .cast("float64");
  const resets = tensor(
    Int32Array.from({ length: T * B }, (_, i) => Number(i === 0)),
    {
      shape: [T, B],
    },
  );
  const of = (state: { h: Tensor; c: Tensor }) =>
    numbers(
      grad((p: typeof params) => unroll(cell, p, clean, { state, resets }).outputs.square().sum())(
        params,
      ),
    );
  expect(of({ h, c })).toEqual(of(initialState(cell, B, { dtype: "float64" })));
});
