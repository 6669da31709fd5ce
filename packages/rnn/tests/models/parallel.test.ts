import { grad, type Tensor, tensor } from "@chronograd/autodiff";
import { linear, rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import {
  bidirectional,
  learnedState,
  lru,
  lstm,
  minGru,
  minLstm,
  sequential,
  stacked,
  unroll,
} from "../../src/index.ts";
import { distance, numbers } from "../truncated/setup.ts";
import { bits, normal, paramsOf, plain, said } from "./setup.ts";

const upper = { input: 3, hidden: 3 };
const models = {
  learned: learnedState(lru({ input: 2, hidden: 3 })),
  stacked: stacked([minGru({ input: 2, hidden: 3 }), minLstm(upper)]),
  "with residuals and dropout": stacked(
    [minGru({ input: 2, hidden: 3 }), minGru(upper), lstm(upper), minLstm(upper)],
    { residual: true, dropout: 0.5 },
  ),
  "with layers": sequential({
    lower: stacked([minGru({ input: 2, hidden: 3 }), lru(upper)]),
    middle: lstm(upper),
    head: linear({ input: 3, output: 2 }),
  }),
  "in both directions": stacked([
    bidirectional(minGru({ input: 2, hidden: 2 })),
    lstm({ input: 4, hidden: 2 }),
  ]),
};

test.each(Object.entries(models))("%s at once is %s step by step, to 1e-12", (_, model) => {
  const own = plain(model);
  const params = paramsOf(own, 1);
  const inputs = normal([7, 3, 2], 2);
  const resets = tensor(
    Int32Array.from({ length: 21 }, (_, i) => (i === 10 ? 1 : 0)),
    { shape: [7, 3] },
  );
  for (const marks of [{}, { lengths: [7, 0, 4] }, { resets }]) {
    const run = (parallel: boolean) => (p: typeof params) =>
      unroll(own, p, inputs, { ...marks, parallel, rng: null });
    const by = (parallel: boolean) =>
      grad((p: typeof params) => (run(parallel)(p).outputs as Tensor).square().sum())(params);
    const [found, expected] = [true, false].map((parallel) =>
      numbers({ found: run(parallel)(params), by: by(parallel) }),
    );
    expect(distance(found!, expected!)).toBeLessThan(1e-12);
  }
});

test("a model with dropout draws its masks in both ways", () => {
  const own = plain(stacked([minGru({ input: 2, hidden: 3 }), minGru(upper)], { dropout: 0.5 }));
  const params = paramsOf(own, 1);
  const run = (parallel: boolean) =>
    numbers(unroll(own, params, normal([5, 2, 2], 2), { parallel, rng: rng(3) }));
  expect(distance(run(true), run(false))).toBeLessThan(1e-12);
});

test("a model without a linear cell is refused, and burnIn with one", () => {
  const inputs = normal([3, 1, 2], 1);
  const none = stacked([lstm({ input: 2, hidden: 3 })]);
  const some = stacked([minGru({ input: 2, hidden: 3 })]);
  expect([
    said(() => unroll(none, paramsOf(none, 1), inputs, { parallel: true })),
    said(() => unroll(some, paramsOf(some, 1), inputs, { parallel: true, burnIn: 1 })),
  ]).toMatchInlineSnapshot(`
    [
      "TypeError: unroll: parallel takes a cell that is linear in its state, such as minGru, minLstm, lru or one of defineLinearCell, and this one is not; leave out the option",
      "RangeError: unroll: a model that runs part by part over a whole sequence takes no burnIn, got 1; leave it out, and give the first steps no loss",
    ]
  `);
  expect(bits(unroll(some, paramsOf(some, 1), inputs, { burnIn: 1 }).outputs).length).toBe(6);
});
