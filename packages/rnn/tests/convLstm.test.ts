import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { convLstm, initialParams, lstm, truncated, unroll } from "../src/index.ts";
import { checkTruncated } from "../src/testing.ts";

const cell = convLstm({ input: 2, hidden: 3, height: 3, width: 4 });
const random = rng(3);
const draw = (...shape: number[]) => {
  const elements = { length: shape.reduce((a, b) => a * b, 1) };
  return tensor(
    Float64Array.from(elements, () => random.normal()),
    { shape },
  );
};
const steps = Array.from({ length: 12 }, () => ({
  input: draw(2, 2, 3, 4),
  target: draw(2, 3, 3, 4),
}));
const loss = (y: Tensor, target: Tensor) => y.sub(target).square().sum();

test("images of one pixel make it an LSTM", () => {
  const one = convLstm({ input: 2, hidden: 3, kernelSize: 1, height: 1, width: 1 });
  const params = initialParams(one, rng(1), { dtype: "float64" });
  const xs = draw(5, 2, 2);
  const found = unroll(one, params, xs.reshape([5, 2, 2, 1, 1]));
  const W = params.W.reshape([12, 2]).transpose();
  const U = params.U.reshape([12, 3]).transpose();
  const expected = unroll(lstm({ input: 2, hidden: 3 }), { W, U, b: params.b }, xs);
  const close = (a: Tensor, b: Tensor) =>
    expect(a.reshape(b.shape).sub(b).abs().max().item()).toBeLessThan(1e-14);
  close(found.outputs, expected.outputs);
  close(found.state.c, expected.state.c);
});

test("a pixel reaches as far as its kernels in each step", () => {
  const wide = convLstm({ input: 1, hidden: 1, height: 1, width: 9 });
  const params = initialParams(wide, rng(1), { dtype: "float64" });
  const still = draw(3, 1, 1, 1, 9);
  const values = still.toTypedArray().slice();
  values[4]! += 1;
  const moved = tensor(values, { shape: still.shape });
  const [before, after] = [still, moved].map((xs) => unroll(wide, params, xs).outputs);
  const changed = after!.notEqual(before!).reshape([3, 9]).toArray();
  expect(changed).toEqual([
    [0, 0, 0, 1, 1, 1, 0, 0, 0],
    [0, 0, 1, 1, 1, 1, 1, 0, 0],
    [0, 1, 1, 1, 1, 1, 1, 1, 0],
  ]);
});

test("the forget gates' bias is 1 at first", () => {
  const { b } = initialParams(cell, rng(1));
  expect(b.toArray()).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
});

test("checkTruncated holds its windows to the definition", () => {
  checkTruncated(cell, steps, { k1: 2, k2: 3, loss }).assert();
});

describe.each(["carry", "defer"] as const)("truncated with stale %s", (stale) => {
  test("gives the same windows compiled", () => {
    const params = initialParams(cell, rng(1), { dtype: "float64" });
    const planned: boolean[] = [];
    const [plain, compiled] = [false, true].map((compile) => {
      const windows = Array.from(
        truncated(cell, params, steps, { k1: 2, k2: 4, loss, stale, compile }),
        ({ loss, gradients, explain }) => ({
          isPlanned: explain().includes("kernel calls"),
          values: [loss, ...tree.leaves(gradients).flatMap((x) => Array.from(x.toTypedArray()))],
        }),
      );
      planned.push(windows.some(({ isPlanned }) => isPlanned));
      return windows.map(({ values }) => values);
    });
    expect(planned).toEqual([false, true]);
    for (const [i, window] of plain!.entries()) {
      for (const [at, value] of window.entries()) {
        expect(compiled![i]![at]!).toBeCloseTo(value, 10);
      }
    }
  });
});

test("sizes that make no cell get a sentence", () => {
  const sizes = { input: 2, hidden: 3, height: 3, width: 4 };
  const said = [
    { ...sizes, kernelSize: 2 },
    { ...sizes, kernelSize: 0 },
    { ...sizes, kernel: 3 },
    { input: 2, hidden: 3 },
  ].map((given) => {
    try {
      convLstm(given as typeof sizes);
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing was thrown";
  });
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  for (const shape of [
    [1, 2, 3, 4, 1],
    [1, 2, 2, 3, 4],
    [1, 2, 3, 3, 4],
    [1, 2, 2, 4, 4],
    [1, 2, 2, 12],
  ]) {
    try {
      unroll(cell, params, draw(...shape));
      said.push(`${shape}: nothing was thrown`);
    } catch (error) {
      said.push((error as Error).message);
    }
  }
  expect(said).toMatchInlineSnapshot(`
    [
      "convLstm: kernelSize must be an odd whole number, so that a kernel has a pixel in its middle, got 2",
      "convLstm: kernelSize must be an odd whole number, so that a kernel has a pixel in its middle, got 0",
      "convLstm: there is no option "kernel", did you mean "kernelSize"? It takes input, hidden, height, width, kernelSize",
      "convLstm: the definition needs the sizes height and width, got input, hidden",
      "unroll: step 1: conv2d: x must have 2 channels on axis 1, groups 1 times the 2 of weight, got x [2,3,4,1] and weight [12,2,3,3]",
      "1,2,2,3,4: nothing was thrown",
      "unroll: step 1: conv2d: x must have 2 channels on axis 1, groups 1 times the 2 of weight, got x [2,3,3,4] and weight [12,2,3,3]",
      "unroll: step 1: add: shapes [2,12,4,4] and [2,12,3,4] do not broadcast: 4 and 3 meet on axis 2, and neither is 1",
      "unroll: step 1: conv2d: x must be [N,C,H,W] and weight [O,C/groups,KH,KW], got x [2,2,12] and weight [12,2,3,3]; expandDims adds an axis",
    ]
  `);
});
