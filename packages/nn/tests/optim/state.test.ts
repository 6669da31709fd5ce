import { createBackend, scope, type Tensor, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  decodeSafetensors,
  encodeSafetensors,
  type Optimizer,
  restoreTree,
  rmsprop,
  sgd,
  tensorsOf,
} from "../../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });
const float64 = { dtype: "float64", backend } as const;
const makers = {
  "sgd, dampened": () => sgd({ learningRate: 0.1, momentum: 0.9, dampening: 0.5 }),
  "sgd, plain": () => sgd({ learningRate: 0.1 }),
  rmsprop: () => rmsprop({ centered: true, momentum: 0.5 }),
  adagrad: () => adagrad({ initialAccumulator: 0.1 }),
  adam: () => adam({ amsgrad: true }),
  adamW: () => adamW(),
};

const start = () => ({ layer: { W: tensor([[1, 2]], float64) }, b: tensor([3], float64) });
const gradient = (i: number) => ({
  layer: { W: tensor([[Math.sin(i), Math.cos(i)]], float64) },
  b: tensor([i - 3], float64),
});
type Params = ReturnType<typeof start>;

function advance(optimizer: Optimizer, params: Params, from: number, to: number): Params {
  let next = params;
  for (let i = from; i < to; i++) next = optimizer.update(next, gradient(i));
  return next;
}
const numbers = (x: Params) => [x.layer.W.toArray(), x.b.toArray()];

test.each(Object.entries(makers))(
  "%s goes on from a file bit by bit as it would have without",
  (_name, make) => {
    const whole = advance(make(), start(), 0, 8);
    const first = make();
    const half = advance(first, start(), 0, 4);
    const { optimizer, step, moments } = first.state();
    const bytes = encodeSafetensors({ params: half, moments }, { optimizer, step: String(step) });

    const decoded = decodeSafetensors(bytes);
    const second = make();
    second.load({
      optimizer: decoded.metadata.optimizer!,
      step: Number(decoded.metadata.step),
      moments: tensorsOf(decoded, { prefix: "moments.", backend }),
    });
    const params = restoreTree(start(), decoded, { prefix: "params." });
    expect(second.step).toBe(4);
    expect(numbers(advance(second, params, 4, 8))).toEqual(numbers(whole));
  },
);

test("the state of a lone tensor is named by its moments", () => {
  const optimizer = adam();
  optimizer.update(tensor([1], float64), tensor([1], float64));
  const state = optimizer.state();
  expect(Object.keys(state.moments)).toEqual(["m", "v"]);
  const other = adam();
  other.load(state);
  expect(other.state().moments.m!.toArray()).toEqual([expect.closeTo(0.1, 14)]);
});

test("a state is a copy, both ways", () => {
  const one = adam();
  let params = one.update(start(), gradient(0));
  const state = one.state();
  const before = state.moments["m.b"]!.item();
  params = one.update(params, gradient(1));
  expect(state.moments["m.b"]!.item()).toBe(before);
  const two = adam();
  scope(() => two.load(one.state()));
  one.update(params, gradient(2));
  expect(two.step).toBe(2);
  expect(two.state().moments["m.b"]!.item()).not.toBe(one.state().moments["m.b"]!.item());
});

test("reset starts anew, and returns the memory of the moments at once", () => {
  const optimizer = adam();
  const used = () => backend.memory.bytesInUse;
  const params = advance(optimizer, start(), 0, 3);
  const before = used();
  optimizer.reset();
  expect(before - used()).toBe(4 * 64);
  expect(optimizer.step).toBe(0);
  const fresh = adam();
  expect(numbers(optimizer.update(start(), gradient(5)))).toEqual(
    numbers(fresh.update(start(), gradient(5))),
  );
  expect(() => params.b.item()).not.toThrow();
});

test("loading over a state returns the memory of the one before", () => {
  const optimizer = adam();
  advance(optimizer, start(), 0, 3);
  scope(() => {
    const state = optimizer.state();
    const before = backend.memory.bytesInUse;
    for (let i = 0; i < 10; i++) optimizer.load(state);
    expect(backend.memory.bytesInUse).toBe(before);
  });
});

test("errors are sentences, and change nothing", () => {
  const optimizer = adam();
  optimizer.update(start(), gradient(0));
  const state = optimizer.state();
  const load = (change: object) => () => optimizer.load({ ...state, ...change });
  const { "v.b": _dropped, ...incomplete } = state.moments;
  expect(load({ optimizer: "sgd" })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: adam.load: the state is that of sgd; make that optimizer, with its options]`,
  );
  const raw = {
    ...state.moments,
    "m.b": { dtype: "float64", shape: [1], data: new Float64Array(1) },
  };
  expect(load({ moments: raw })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: adam.load: "m.b" must be a tensor, got object; make tensors of a decoded file with tensorsOf(decoded)]`,
  );
  expect(load({ step: 1.5 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: adam.load: step must be a whole number of at least 0, got 1.5]`,
  );
  expect(load({ moments: incomplete })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: adam.load: the state lacks "v.b"; pass all that state() returned]`,
  );
  expect(
    load({ moments: { ...state.moments, "momentum.b": state.moments["m.b"] as Tensor } }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: adam.load: the state has "momentum.b", expected "m.path" or "v.path"]`,
  );
  expect(optimizer.state().step).toBe(1);
  expect(Object.keys(optimizer.state().moments)).toEqual(Object.keys(state.moments));
});
