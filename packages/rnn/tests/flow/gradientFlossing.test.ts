import { compile, type Tensor, tensor, valueAndGrad } from "@chronograd/autodiff";
import { checkGradients } from "@chronograd/autodiff/testing";
import { adam, applyUpdates, rng } from "@chronograd/nn";
import { elman, gru, initialParams, lstm } from "@chronograd/rnn";
import { gradientFlossing, lyapunovSpectrum } from "@chronograd/rnn/flow";
import { describe, expect, test } from "vitest";

const float64 = { dtype: "float64" } as const;

function inputsOf(T: number, B: number): Tensor {
  const random = rng(3, "inputs");
  const values = Float64Array.from({ length: T * B * 2 }, () => random.normal());
  return tensor(values, { shape: [T, B, 2] });
}

describe("the gradient is that of finite differences", () => {
  const cells = {
    elman: elman({ input: 2, hidden: 3 }),
    gru: gru({ input: 2, hidden: 2 }),
    lstm: lstm({ input: 2, hidden: 2 }),
  };
  const resets = tensor(Int32Array.of(0, 0, 0, 0, 0, 1, 0, 0, 0, 0), { shape: [5, 2] });
  const stream = { inputs: inputsOf(5, 2), lengths: [5, 4], resets };
  const options = { count: 2, warmUp: 1, target: -0.1 };
  test.each(Object.entries(cells))("%s", (_, cell) => {
    const params = initialParams(cell as never, rng(1), float64);
    const loss = (p: typeof params) => gradientFlossing(cell as never, p, stream, options);
    checkGradients(loss, params, { mode: "directions", directions: 2, throws: true });
  });
});

test("brings the exponents of a small network toward 0", () => {
  const cell = elman({ input: 2, hidden: 8 });
  let params = initialParams(cell, rng(1), float64);
  const inputs = inputsOf(25, 1);
  const exponents = () =>
    lyapunovSpectrum(cell, params, { inputs }, { count: 3, warmUp: 0 }).exponents;
  const largest = () => Math.max(...exponents().map(Math.abs));
  const before = largest();
  const optimizer = adam({ learningRate: 0.02 });
  let state = optimizer.init(params);
  const loss = valueAndGrad((p: typeof params) =>
    gradientFlossing(cell, p, { inputs }, { count: 3 }),
  );
  for (let i = 0; i < 30; i++) {
    const [, gradient] = loss(params);
    const [updates, next] = optimizer.update(gradient, state, params);
    state = next;
    params = applyUpdates(params, updates);
  }
  expect(before).toBeGreaterThan(0.4);
  expect(largest()).toBeLessThan(0.1 * before);
});

test("is compiled with the step around it", () => {
  const cell = gru({ input: 2, hidden: 3 });
  const inputs = inputsOf(4, 2);
  type Params = ReturnType<typeof paramsOf>;
  const paramsOf = (seed: number) => initialParams(cell, rng(seed), float64);
  const plain = valueAndGrad((p: Params) => gradientFlossing(cell, p, { inputs }, { count: 2 }));
  const step = compile((p: Params) => plain(p));
  for (let seed = 1; seed <= 4; seed++) {
    const [[value], [expected]] = [step(paramsOf(seed)), plain(paramsOf(seed))];
    expect(value.item()).toBeCloseTo(expected.item(), 13);
  }
});
