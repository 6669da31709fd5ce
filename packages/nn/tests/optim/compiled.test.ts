import { compile, type Tensor, tensor, valueAndGrad } from "@chronograd/autodiff";
import { describe, expect, test } from "vitest";
import { adam, applyUpdates, chain, clipByGlobalNorm, dropout, rng, sgd } from "../../src/index.ts";

interface Params {
  w: Tensor;
}
const error = ({ w }: Params, x: Tensor) => w.mul(x).square().sum();
const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate: 0.1 }) });
type State = ReturnType<typeof optimizer.init>;
const step = (params: Params, state: State, x: Tensor) => {
  const [loss, gradients] = valueAndGrad(error)(params, x);
  const [updates, next] = optimizer.update(gradients, state, params);
  return [applyUpdates(params, updates), next, loss] as const;
};

describe("a compiled training step", () => {
  test("moves on: Adam on w^2 from [1, 2], five steps, as the issue says", () => {
    const plain = adam({ learningRate: 0.1 });
    const compiled = compile((w: Tensor, state: ReturnType<typeof plain.init>) => {
      const [updates, next] = plain.update(w.mul(2), state, w);
      return [applyUpdates(w, updates), next] as const;
    });
    let w: Tensor = tensor([1, 2], { dtype: "float64" });
    let state = plain.init(w);
    for (let i = 0; i < 5; i++) [w, state] = compiled(w, state);
    const [a, b] = w.toArray<number[]>();
    expect(a).toBeCloseTo(0.5079637, 6);
    expect(b).toBeCloseTo(1.5029557, 6);
    expect(compiled.explain()).not.toContain("not compiled");
  });

  test("refuses a gradient that is not finite by the sentence of the link, and changes nothing", () => {
    const compiled = compile(step);
    let params: Params = { w: tensor([1, 2]) };
    let state = optimizer.init(params);
    for (let i = 0; i < 3; i++) [params, state] = compiled(params, state, tensor([1, 1]));
    const before = JSON.stringify([params.w.toArray(), state.clip.norm.item()]);
    expect(() => compiled(params, state, tensor([1, Infinity]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: clipByGlobalNorm: the gradient of "w" has 1 of 2 elements that are NaN or infinite; lower the learning rate, look for where they arise, or pass { nonFinite: "zero" } or { nonFinite: "pass" }]`,
    );
    expect(JSON.stringify([params.w.toArray(), state.clip.norm.item()])).toBe(before);
    expect(state.adam.step.item()).toBe(3);
    [params, state] = compiled(params, state, tensor([1, 1]));
    expect(state.adam.step.item()).toBe(4);
  });

  test("keeps memory where it is without a scope", () => {
    const compiled = compile(step);
    let params: Params = { w: tensor(new Float32Array(500).fill(1)) };
    let state = optimizer.init(params);
    const x = tensor(new Float32Array(500).fill(0.1));
    const { memory } = x.backend;
    const marks: number[] = [];
    for (let i = 0; i < 400; i++) {
      [params, state] = compiled(params, state, x);
      if (i === 50 || i === 399) marks.push(memory.bytesInUse);
    }
    // The losses, which nothing consumes, wait for the garbage collector: 8 bytes each, or a class
    // of their own.
    expect(marks[1]! - marks[0]!).toBeLessThan(400 * 64);
  });

  test("with parameters or a state from outside runs as it is, and says why", () => {
    let params: Params = { w: tensor([1, 2]) };
    let state = optimizer.init(params);
    const closed = compile((x: Tensor) => {
      const [, gradients] = valueAndGrad(error)(params, x);
      const [updates, next] = optimizer.update(gradients, state, params);
      params = applyUpdates(params, updates);
      state = next;
      return params.w.add(0);
    });
    const x = tensor([1, 1]);
    for (let i = 0; i < 3; i++) closed(x);
    expect(state.adam.step.item()).toBe(3);
    expect(closed.explain().split("not compiled, ")[1]).toMatchInlineSnapshot(
      `"because chain.update consumes the state, which comes from outside of the function; make it an argument, and return what took its place"`,
    );
    const half = compile((p: Params) => applyUpdates(params, { w: p.w }).w.add(0));
    half({ w: tensor([1, 1]) });
    expect(half.explain().split("not compiled, ")[1]).toMatchInlineSnapshot(
      `"because applyUpdates consumes the parameters, which comes from outside of the function; make it an argument, and return what took its place"`,
    );
  });

  test("with old weights from outside is refused", () => {
    let params: Params = { w: tensor([1, 2]) };
    const predict = compile((x: Tensor) => params.w.mul(x));
    predict(tensor([1, 1]));
    params = applyUpdates(params, { w: tensor([1, 1]) });
    expect(() => predict(tensor([1, 1]))).toThrowErrorMatchingInlineSnapshot(
      `[Error: compile: a value that the function takes from outside was consumed by applyUpdates since the function was recorded; make it an argument, or pass a clone(...) to applyUpdates]`,
    );
  });

  test("that draws random numbers draws anew each time", () => {
    const random = rng(1);
    const layer = dropout({ rate: 0.5 });
    const noisy = compile((x: Tensor) => layer.apply(x, random));
    const x = tensor(new Float32Array(64).fill(1));
    expect(noisy(x).toArray()).not.toEqual(noisy(x).toArray());
    const scaled = compile((y: Tensor) => y.mul(random.normal()));
    expect(scaled(tensor(1)).item()).not.toBe(scaled(tensor(1)).item());
    expect(scaled.explain().split("not compiled, ")[1]).toMatchInlineSnapshot(
      `"because a random generator was drawn from, and a plan would repeat the draw; draw outside, and pass it as an argument"`,
    );
  });
});

test("differentiating through a step of Adam: the learning of a start", () => {
  const rule = adam({ learningRate: 0.1 });
  const after = (w: Tensor) => {
    const [updates] = rule.update(w.mul(w).mul(0.3), rule.init(w.detach()), w);
    return applyUpdates(w, updates).square().sum();
  };
  const at = [0.7, -1.1];
  const on = { dtype: "float64" } as const;
  const [, slope] = valueAndGrad(after)(tensor(at, on));
  const value = (i: number, d: number) =>
    after(
      tensor(
        at.map((x, k) => x + (k === i ? d : 0)),
        on,
      ),
    ).item();
  slope.toArray<number[]>().forEach((found, i) => {
    expect(found).toBeCloseTo((value(i, 1e-5) - value(i, -1e-5)) / 2e-5, 7);
  });
  expect(
    sgd({ learningRate: 1 })
      .init(tensor([1]))
      .step.item(),
  ).toBe(0);
});
