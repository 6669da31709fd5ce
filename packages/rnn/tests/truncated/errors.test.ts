import { type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import {
  elman,
  initialParams,
  type TimeStep,
  type TruncatedOptions,
  truncated,
} from "../../src/index.ts";

const cell = elman({ input: 1, hidden: 2 });
const params = initialParams(cell, rng(1));
const step: TimeStep = { input: tensor([[1]]), target: tensor([[0, 0]]) };
const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();
const good = { k1: 2, k2: 4, loss };

function run(options: object, steps: unknown = [step, step, step]): unknown {
  const all = { ...good, ...options } as unknown as TruncatedOptions<never>;
  return Array.from(truncated(cell, params, steps as TimeStep[], all as never));
}

test.each<[string, () => unknown]>([
  ["k2 below k1", () => run({ k1: 5 })],
  ["k1 of zero", () => run({ k1: 0 })],
  ["a fraction of a step", () => run({ k2: 4.5 })],
  ["no k1", () => run({ k1: undefined })],
  ["losses of no kind", () => run({ losses: "all" })],
  ["a reduction of no kind", () => run({ reduction: "average" })],
  ["a stale of no kind", () => run({ stale: "ignore" })],
  ["multiplicity without windows", () => run({ multiplicity: true })],
  ["no loss", () => run({ loss: undefined })],
  ["a stream without steps", () => run({}, [])],
  ["a stream that is none", () => run({}, 7)],
  [
    "inputs that are a tree",
    () => run({}, { inputs: { a: zeros([3, 1, 1]) }, targets: zeros([3, 1, 2]) }),
  ],
  ["a stream of promises", () => run({}, [Promise.resolve(step)])],
  ["no options", () => truncated(cell, params, [step], undefined as never)],
  [
    "a step that returns its state alone",
    () => Array.from(truncated({ ...cell, step: () => ({}) as never }, params, [step], good)),
  ],
  [
    "inputs and targets of different lengths",
    () => run({}, { inputs: zeros([3, 1, 1]), targets: zeros([2, 1, 2]) }),
  ],
  ["NaN in the data", () => run({}, [step, { ...step, input: tensor([[Number.NaN]]) }])],
  [
    "infinity in the targets",
    () => run({}, [step, step, { ...step, target: tensor([[Infinity, 0]]) }]),
  ],
  ["a loss that knows no parameter", () => run({ loss: () => tensor(1) })],
  ["a loss that is a number", () => run({ loss: () => 1 })],
  ["a communicator that is none", () => run({ communicator: { rank: 0, size: 2 } })],
  ["an input without axes", () => run({}, [{ ...step, input: tensor(1) }])],
])("%s throws a sentence", (_what, act) => {
  expect(act).toThrowErrorMatchingSnapshot();
});

test("k1 and k2 of Infinity are one window over everything", () => {
  const [window, ...rest] = run({ k1: Infinity, k2: Infinity }) as { start: number; end: number }[];
  expect(rest).toEqual([]);
  expect(window).toMatchObject({ start: 0, end: 3 });
});

test("steps without a loss count for nothing", () => {
  const last = (y: Tensor, target: Tensor) => (target.item() === 1 ? y.sum() : null);
  const flags = [0, 0, 1, 0].map((flag) => ({ input: step.input, target: tensor(flag) }));
  const windows = Array.from(
    truncated(cell, params, flags, { k1: 2, k2: 4, loss: last, reduction: "mean" }),
    (w) => ({ losses: w.losses, count: w.count, norm: w.gradients.W.norm().item() }),
  );
  expect(windows.map((w) => w.count)).toEqual([0, 1]);
  expect(windows[0]).toMatchObject({ losses: [0, 0], norm: 0 });
  expect(windows[1]!.norm).toBeGreaterThan(0);
});
