import { grad, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { checkGradients, holdAll } from "@chronograd/autodiff/testing";
import { adam, applyUpdates, init, rng } from "@chronograd/nn";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  bidirectional,
  defineCell,
  gru,
  initialParams,
  initialState,
  learnedState,
  lstm,
  sequential,
  stacked,
  truncated,
  unroll,
  zoneout,
} from "../../src/index.ts";
import { cellLaws } from "../../src/testing.ts";
import { type AnyParams, modes, numbers } from "../truncated/setup.ts";
import { bits, normal, paramsOf, plain, said } from "./setup.ts";

const inner = lstm({ input: 2, hidden: 3 });
const cell = learnedState(inner);
const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();

describe("a learned initial state", () => {
  test.each(cellLaws(cell, { input: 2, batch: 2, steps: 3 }))("$name", (law) => {
    holdAll("learnedState", [law]).assert();
  });

  test("is one row of parameters that starts as the cell's", () => {
    const params = initialParams(cell, rng(1));
    expectTypeOf(params.initial.c).toEqualTypeOf<Tensor>();
    expect(bits(params.initial)).toEqual([0, 0, 0, 0, 0, 0]);
    const offset = { ...inner, state: { h: init.constant(0.5, 3), c: init.constant(-1, 3) } };
    expect(bits(initialParams(learnedState(offset), rng(1)).initial)).toEqual([
      0.5, 0.5, 0.5, -1, -1, -1,
    ]);
  });

  test("starts every row: values and gradients are those of a state that is given", () => {
    const params = paramsOf(cell, 1);
    const inputs = normal([4, 2, 2], 2);
    const found = unroll(cell, params, inputs);
    const rows = (row: Tensor) => row.broadcastTo([2, 3]);
    const byHand = (p: typeof params) => {
      const state = { h: rows(p.initial.h), c: rows(p.initial.c) };
      return unroll(inner, p.cell, inputs, { state });
    };
    expect(bits(found)).toEqual(bits(byHand(params)));
    const sum = (f: typeof byHand) =>
      grad((p: typeof params) => f(p).outputs.square().sum())(params);
    expect(bits(sum((p) => unroll(cell, p, inputs)))).toEqual(bits(sum(byHand)));
    checkGradients((p: typeof params) => unroll(cell, p, inputs).outputs, params).assert();
  });

  test("is where a row goes on after a reset, with its gradient", () => {
    const params = paramsOf(cell, 1);
    const inputs = normal([5, 1, 2], 2);
    const resets = tensor(Int32Array.of(0, 0, 1, 0, 0), { shape: [5, 1] });
    const f = (p: typeof params) => unroll(cell, p, inputs, { resets }).outputs;
    const parts = (p: typeof params) =>
      [inputs.slice([[0, 2]]), inputs.slice([[2, 5]])].map((x) => unroll(cell, p, x).outputs);
    expect(bits(f(params))).toEqual(parts(params).flatMap(bits));
    const found = grad((p: typeof params) => f(p).square().sum())(params);
    const expected = grad((p: typeof params) => {
      const [a, b] = parts(p).map((y) => y.square().sum());
      return a!.add(b!);
    })(params);
    for (const [i, value] of bits(found).entries()) {
      expect(value).toBeCloseTo(bits(expected)[i]!, 12);
    }
  });

  test("has a gradient in the first window of a stream only, and after resets, in all modes", () => {
    const params = paramsOf(cell, 1);
    const [inputs, targets] = [normal([8, 2, 2], 2), normal([8, 2, 3], 3)];
    const resets = tensor(
      Int32Array.from({ length: 16 }, (_, i) => (i === 9 ? 1 : 0)),
      {
        shape: [8, 2],
      },
    );
    for (const stale of modes) {
      for (const compile of [false, true]) {
        const options = { k1: 2, k2: 2, stale, compile, loss };
        const reached = Array.from(
          truncated(cell, params, { inputs, targets, resets }, options),
          ({ gradients }) => bits(gradients.initial).some((g) => g !== 0),
        );
        expect(reached).toEqual(stale === "defer" ? [true] : [true, false, true, false]);
      }
    }
  });

  test("is not used where a state is given", () => {
    const params = paramsOf(cell, 1);
    const state = { h: normal([2, 3], 5), c: normal([2, 3], 6) };
    const inputs = normal([2, 2, 2], 2);
    const found = unroll(cell, params, inputs, { state });
    expect(bits(found)).toEqual(bits(unroll(inner, params.cell, inputs, { state })));
  });

  test("goes through what is made from the cell", () => {
    const layer = learnedState(gru({ input: 3, hidden: 3 }));
    const model = sequential({ list: stacked([inner, zoneout(layer, { rate: 0 })]) });
    const params = paramsOf(model, 1);
    const inputs = normal([3, 2, 2], 2);
    const first = unroll(inner, params.list[0], inputs);
    const second = unroll(layer, params.list[1], first.outputs);
    expect(bits(unroll(model, params, inputs).outputs)).toEqual(bits(second.outputs));
    const both = bidirectional(cell);
    const own = paramsOf(both, 3);
    const { outputs } = unroll(both, own, inputs);
    const back = unroll(cell, own.backward, inputs, { reverse: true }).outputs;
    expect(bits(outputs.slice([null, null, [3, 6]] as never))).toEqual(bits(back));
  });

  test("leaves whole numbers as they start, and trains", () => {
    const counting = defineCell({
      params: () => ({ w: init.constant(0.5, 2) }),
      state: () => ({ h: init.zeros(2), steps: init.zeros({ dtype: "int32" }) }),
      step: ({ w }, x: Tensor, { h, steps }) => {
        const next = x.mul(w).add(h).tanh();
        return [next, { h: next, steps: steps.add(1) }];
      },
    })({ input: 2, hidden: 2 });
    const model = learnedState(counting);
    let params = initialParams(model, rng(1), { dtype: "float64" });
    const optimizer = adam({ learningRate: 0.1 });
    let state = optimizer.init(params);
    const stream = { inputs: normal([6, 2, 2], 1), targets: normal([6, 2, 2], 2) };
    for (const window of truncated(model, params, stream, { k1: 2, k2: 2, loss })) {
      expect(bits(window.state.steps)).toEqual([window.end, window.end]);
      const [updates, next] = optimizer.update(window.gradients, state, params);
      params = applyUpdates(params, updates) as typeof params;
      state = next;
    }
    expect(params.initial.steps.dtype).toBe("int32");
    expect(bits(params.initial.steps)).toEqual([0]);
    expect(bits(params.initial.h)).not.toEqual([0, 0]);
  });

  test("and what is refused", () => {
    expect([
      said(() => learnedState(lstm as never)),
      said(() => learnedState(cell)),
      said(() => learnedState(bidirectional(inner) as never)),
      said(() => initialState(cell, 0)),
    ]).toMatchInlineSnapshot(`
      [
        "TypeError: learnedState: expected a cell, { params, state, step }, got the family lstm; a family gives a cell when it is called with sizes, such as lstm({ input: 3, hidden: 5 })",
        "TypeError: learnedState: the initial state of the cell is learned already; leave learnedState out",
        "TypeError: learnedState: a model of whole sequences, as bidirectional makes one, has no step of its own, because a step would need later inputs; give it the cells inside, as in bidirectional(learnedState(cell, ...))",
        "RangeError: initialState: batch must be a whole number of at least 1, got 0",
      ]
    `);
  });
});

test("the windows of a learned state are those of its definition", () => {
  const params = paramsOf(cell, 1) as unknown as AnyParams;
  const stream = { inputs: normal([6, 2, 2], 2), targets: normal([6, 2, 3], 3) };
  const whole = Array.from(
    truncated(plain(cell), params, stream, { k1: 3, k2: 6, loss }),
    ({ gradients }) => numbers(gradients),
  );
  const full = grad((p: AnyParams) => {
    const { outputs } = unroll(plain(cell), p, stream.inputs);
    return loss(outputs as Tensor, stream.targets).sum();
  })(params);
  for (const [path, g] of tree.leavesWithPath(full)) {
    for (const [i, value] of [...g.toTypedArray()].entries()) {
      expect(whole[0]![path]![i]! + whole[1]![path]![i]!).toBeCloseTo(value, 10);
    }
  }
});
