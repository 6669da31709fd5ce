import { grad, jvp, Tape, type Tensor, tensor, tree, vjp } from "@chronograd/autodiff";
import { describe, expect, test } from "vitest";
import { type TimeStep, type TruncatedOptions, truncated, unroll } from "../../src/index.ts";
import { half, line, modes } from "./setup.ts";

const step = { input: tensor([[0]]), target: tensor([[0]]) };
const loss = (x: Tensor): Tensor => x;
const float = (x: number) => tensor(x, { dtype: "float64" });
type Options = TruncatedOptions<typeof line.state>;

/** The sum of the last window's gradient and state. */
function last(options: Partial<Options>, params = half(), steps: TimeStep[] = [step, step, step]) {
  let sum = float(0);
  for (const { gradients, state } of truncated(line, params, steps, {
    k1: 1,
    k2: 2,
    loss,
    ...options,
  })) {
    sum = gradients.w.add(state.x.sum()).clone();
  }
  return sum;
}

/** Each way in which a value `a` of a tape around can get into a stream. */
const ways: Record<string, (a: Tensor, options: Partial<Options>) => Tensor> = {
  params: (a, options) => last(options, { w: a }),
  "a function that returns params": (a, options) => last(options, (() => ({ w: a })) as never),
  "the state": (a, options) => last({ ...options, state: { x: a.reshape([1, 1]) } }),
  "an input": (a, options) =>
    last(options, half(), [step, { ...step, input: a.reshape([1, 1]) }, step]),
  "a target": (a, options) =>
    last(options, half(), [step, { ...step, target: a.reshape([1, 1]) }, step]),
  "a loss that closes over it": (a, options) => last({ ...options, loss: (x) => x.mul(a) }),
  "a loss that is nothing else": (a, options) => last({ ...options, loss: () => a }),
  "a counted loss": (a, options) =>
    last({ ...options, loss: (x) => ({ loss: x.mul(a), count: 1 }) }),
  "a cell that closes over it": (a, options) => {
    const cell = {
      ...line,
      step: ({ w }: { w: Tensor }, _: Tensor, { x }: { x: Tensor }) => {
        const next = w.mul(x).mul(a);
        return [x, { x: next }] as const;
      },
    };
    const windows = truncated(cell, half(), [step, step], { k1: 1, k2: 2, loss, ...options });
    return Array.from(windows, ({ state }) => state.x.sum().clone()).at(-1)!;
  },
};

describe.each(Object.entries(ways))("derivatives by %s are refused", (what, run) => {
  test.each(modes)("%s", (stale) => {
    const words = /^truncated: .* a tape around the stream .*differentiate unroll instead/;
    const f = (a: Tensor) => run(a, { stale });
    expect(() => grad(f)(float(0.5))).toThrow(words);
    expect(() => jvp(f, float(0.5), float(1))).toThrow(words);
    expect(() => vjp(f, float(0.5))).toThrow(words);
    const tape = new Tape();
    expect(() => f(tape.watch(float(0.5)))).toThrow(words);
    if (what === "a loss that is nothing else") return;
    // Without a tape, and on one that watches something else.
    const plain = f(float(0.5)).item();
    expect(grad((b: Tensor) => b.mul(f(float(0.5)).item()))(float(3)).item()).toBe(plain);
    expect(f(tape.watch(float(0.5)).detach()).item()).toBe(plain);
  });

  test(`names it: ${what}`, () => {
    expect(() => grad((a: Tensor) => run(a, {}))(float(0.5))).toThrowErrorMatchingSnapshot();
  });
});

test("a tape that is opened in the loop's body is refused too", () => {
  const tape: { now?: Tensor } = {};
  const windows = truncated(line, half(), [step, step], {
    k1: 1,
    k2: 2,
    loss: (x) => (tape.now === undefined ? x : x.mul(tape.now)),
  });
  windows.next();
  tape.now = new Tape().watch(float(1));
  expect(() => windows.next()).toThrow(/the loss of step 2 depends on a value from outside/);
});

test("unroll is the way out: d/dw of d/dw (w^3) is 6 w", () => {
  const xs = [step, step, step].map(({ input }) => input);
  const state = { x: tensor([[1]], { dtype: "float64" }) };
  const first = grad((w: Tensor) => unroll(line, { w }, xs, { state }).state.x.sum());
  expect(grad((w: Tensor) => first(w))(float(0.5)).item()).toBeCloseTo(3, 12);
});

test("params that are held by a tape of one's own may be passed as they are", () => {
  const params = half();
  new Tape().watch(params);
  expect(last({}, params).item()).toBeGreaterThan(0);
  expect(
    last(
      {},
      tree.map(new Tape().watch(params), (x: Tensor) => x.detach()),
    ).item(),
  ).toBeGreaterThan(0);
});
