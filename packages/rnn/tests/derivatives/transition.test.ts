import { grad, jacobian, scope, type Tensor, tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { Transition } from "../../src/derivatives/transition.ts";
import { paramsVector, rowsTree, rowsVector } from "../../src/derivatives/vectors.ts";
import { lstm, variationalDropout, weightDrop } from "../../src/index.ts";
import { advance } from "../../src/sequences/advance.ts";
import { Preparation } from "../../src/sequences/prepare.ts";
import { fillRows } from "../../src/sequences/rows.ts";
import { drawn, drawParams, drawState, type PlainCell } from "../../src/testing/draw.ts";
import { cellTable } from "../../src/testing.ts";

const rows = 3;
const float64 = { dtype: "float64" } as const;

const marks = {
  none: {},
  mask: { mask: tensor(Int32Array.of(1, 0, 1)) },
  reset: { reset: tensor(Int32Array.of(0, 1, 0)) },
  both: { mask: tensor(Int32Array.of(0, 1, 0)), reset: tensor(Int32Array.of(1, 1, 0)) },
};

/** The largest distance of two tensors, beside the largest element. */
function distance(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [a.toTypedArray(), b.toTypedArray()];
  const scale = Math.max(1e-3, ...Array.from(y, Math.abs));
  return Math.max(...Array.from(x, (value, i) => Math.abs(value - y[i]!))) / scale;
}

function check(cell: PlainCell, given: unknown, mark: keyof typeof marks): void {
  const params = drawParams(cell, rng(1)) as never;
  const state = drawState(cell, rng(2), rows) as never;
  const preparation = new Preparation("test", cell as never, float64, {
    rng: rng(3),
    isFresh: false,
    isUniform: false,
    keep: (make) => make(),
  });
  const prepared = preparation.next(marks[mark], given, 1);
  const input = fillRows(given, prepared.mask, prepared.first);
  const transition = new Transition(cell, params, { ...prepared, input }, state);
  const before = rowsVector(state);
  const [B, H] = before.shape as [number, number];
  const after = (vectors: Tensor, weights = params) =>
    rowsVector(advance(cell, weights, input, prepared, rowsTree(vectors, state) as never).next);

  const whole = jacobian((h) => after(h), before);
  const blocks = transition.jacobian();
  for (let b = 0; b < B; b++) {
    for (let other = 0; other < B; other++) {
      const block = whole.slice([b, null, other]);
      const own = b === other ? blocks.slice([b]) : block.mul(0);
      expect(distance(own, block)).toBeLessThan(1e-13);
    }
  }
  const random = rng(4);
  const some = drawn([2, B, H], () => random.normal());
  const pushed = transition.push(some);
  const pulled = transition.pull(some);
  const owned = transition.pullParams(some);
  for (let k = 0; k < 2; k++) {
    const v = some.slice([k]);
    const products = blocks.matmul(v.reshape([B, H, 1])).reshape([B, H]);
    expect(distance(pushed.slice([k]), products)).toBeLessThan(1e-13);
    const transposed = v.reshape([B, 1, H]).matmul(blocks).reshape([B, H]);
    expect(distance(pulled.slice([k]), transposed)).toBeLessThan(1e-13);
    for (let b = 0; b < B; b++) {
      const only = v.mul(
        tensor(
          [0, 1, 2].map((row) => [row === b ? 1 : 0]),
          float64,
        ),
      );
      const gradient = grad((weights: never) => after(before, weights).mul(only).sum())(params);
      expect(distance(owned.slice([b, k]), paramsVector(gradient))).toBeLessThan(1e-13);
    }
  }
}

describe("a transition has the derivatives of its step, row by row", () => {
  for (const row of cellTable()) {
    test(row.name, () => {
      const input = row.input(rng(6), rows);
      for (const mark of Object.keys(marks)) {
        scope(() => check(row.make() as PlainCell, input, mark as keyof typeof marks));
      }
    });
  }
  test("of models that draw noise", () => {
    const cell = lstm({ input: 2, hidden: 3 });
    const input = drawn([rows, 2], () => 0.3);
    const models = [variationalDropout(cell, { rate: 0.5 }), weightDrop(cell, { rate: 0.5 })];
    for (const model of models) scope(() => check(model as unknown as PlainCell, input, "mask"));
  });
});
