import { grad, jvp, Tape, type Tensor, tensor } from "@chronograd/autodiff";
import { checkGradients } from "@chronograd/autodiff/testing";
import { expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  chain,
  clipByGlobalNorm,
  type GradientTransformation,
  type LearningRate,
  linearWarmup,
  rmsprop,
  scaleByLearningRate,
  schedule,
  sgd,
} from "../../src/index.ts";

const float64 = { dtype: "float64" } as const;
const makers: Readonly<Record<string, (learningRate: LearningRate) => GradientTransformation>> = {
  sgd: (learningRate) => sgd({ learningRate }),
  "sgd with momentum": (learningRate) => sgd({ learningRate, momentum: 0.9, nesterov: true }),
  adam: (learningRate) => adam({ learningRate }),
  adamW: (learningRate) => adamW({ learningRate, amsgrad: true }),
  rmsprop: (learningRate) => rmsprop({ learningRate, centered: true, momentum: 0.5 }),
  adagrad: (learningRate) => adagrad({ learningRate }),
  scaleByLearningRate: (learningRate) => scaleByLearningRate(learningRate),
  chain: (learningRate) => chain({ clip: clipByGlobalNorm(1), sgd: sgd({ learningRate }) }),
};

/** The squared length of the parameters after some updates at a rate. */
function after(make: (rate: LearningRate) => GradientTransformation, updates: number) {
  return (rate: Tensor): Tensor => {
    const optimizer = make(schedule(() => rate));
    let p = tensor([1, 2], float64);
    let state = optimizer.init(p);
    for (let i = 0; i < updates; i++) {
      const [u, next] = optimizer.update(tensor([1 + i, 2], float64), state, p);
      [p, state] = [p.add(u), next];
    }
    return p.square().sum();
  };
}

test("the derivative by a learning rate is that of p - rate g", () => {
  // f = |p - rate g|^2 with p = g = [1, 2]: df/drate = -2 <p - rate g, g> = -2 * 0.9 * 5 = -9, and
  // at 0.1 f = 4.05.
  const f = after(makers.sgd!, 1);
  const rate = tensor(0.1, float64);
  expect(grad(f)(rate).item()).toBeCloseTo(-9, 13);
  const [y, dy] = jvp(f, rate, tensor(1, float64));
  expect([y.item(), dy.item()]).toEqual([expect.closeTo(4.05, 13), expect.closeTo(-9, 13)]);
  expect(grad(after(makers.scaleByLearningRate!, 1))(rate).item()).toBeCloseTo(-9, 13);
  // Through a warm-up over two steps, which begins with a third of the rate: -2 (1 - 0.1 / 3) *
  // 5 / 3.
  const warm = after((to) => sgd({ learningRate: linearWarmup({ steps: 2, to }) }), 1);
  expect(grad(warm)(rate).item()).toBeCloseTo(-29 / 9, 13);
});

test.each(Object.entries(makers))("%s: derivatives by the rate, over three updates", (_, make) => {
  checkGradients(after(make, 3), tensor(0.1, float64), { order: 2, throws: true });
});

test("a tracked rate that is no rate is refused", () => {
  const said = (rate: Tensor) => () => grad(after(makers.sgd!, 1))(rate);
  expect(said(tensor(-0.1, float64))).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sgd: the schedule gave a learning rate of -0.1 at step 0, expected a finite number of at least 0]`,
  );
  expect(said(tensor(Number.NaN, float64))).toThrow("gave a learning rate of NaN at step 0");
  expect(said(tensor(0.1))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: sgd: the schedule must give a float64 scalar for a step that is one, got Tensor float32 []]`,
  );
});

test("a tape keeps what it needs of a state that a later update consumes", () => {
  const tape = new Tape();
  const rate = tape.watch(tensor(0.1, float64));
  const tracked = sgd({ learningRate: schedule(() => rate), momentum: 0.5 });
  const p = tensor([1, 2], float64);
  const [u, state] = tracked.update(p, tracked.init(p), p);
  sgd({ learningRate: 1, momentum: 0.5 }).update(tensor([4, 4], float64), state, p);
  // The derivative of the sum of -rate [1, 2].
  expect(tape.gradient(u.sum(), rate).item()).toBeCloseTo(-3, 13);
});
