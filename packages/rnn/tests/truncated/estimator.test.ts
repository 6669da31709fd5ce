import { type Tensor, tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { initialParams, type StreamOptions, type TimeStep, type Values } from "../../src/index.ts";
import type { LocalWindows } from "../../src/truncated/estimators/estimator.ts";
import { type StreamSettings, streamSettings } from "../../src/truncated/options.ts";
import { Source } from "../../src/truncated/source.ts";
import type { Owned } from "../../src/truncated/step.ts";
import type { StepSource } from "../../src/truncated/stream.ts";
import { windowsOf } from "../../src/truncated/window.ts";
import {
  estimatorSuite,
  type Line,
  line,
  type Params,
  type State,
  stateAt,
} from "./estimatorSuite.ts";

type Options = StreamOptions<State> & { readonly every: number };
type Settings = StreamSettings<State, Tensor, Tensor> & { readonly every: number };
const float64 = { dtype: "float64" } as const;

/** The derivative of the state runs forwards, without a tape: dx_t/dw = x_{t-1} + w dx_{t-1}/dw. */
function* forwards(
  _cell: Line,
  params: () => { w: Tensor },
  source: Source<Tensor, Tensor>,
  { every }: Settings,
): LocalWindows<Params, State> {
  let [x, slope, end] = [0.9, 0, 0];
  for (;;) {
    const steps: Owned<TimeStep>[] = [];
    try {
      yield* source.fill(steps, every);
    } finally {
      for (const { region } of steps) region.end("it was taken");
    }
    const count = steps.length;
    if (count === 0) return;
    const w = params().w.item();
    const losses: number[] = [];
    let sum = 0;
    for (const _step of steps) {
      [x, slope] = [w * x, x + w * slope];
      losses.push(x);
      sum += slope;
    }
    const start = end;
    end += count;
    const gradients = (tokens: number) => ({ gradients: [{ w: tensor(sum / tokens, float64) }] });
    const state = { x: tensor([[x]], float64) };
    const explain = () => "forwards";
    const counts = { losses, count, gradientCount: count, entries: 0 };
    yield { start, newFrom: start, end, ...counts, gradients, explain, state };
  }
}

function forwardsOf(
  cell: Line,
  params: Values<Params>,
  stream: StepSource<Tensor, Tensor>,
  options: Options,
) {
  const ofStream = streamSettings<State, Tensor, Tensor>("forwards", options, ["every"], []);
  const settings: Settings = { ...ofStream, every: options.every };
  const source = new Source<Tensor, Tensor>("forwards", stream);
  return windowsOf(forwards, cell, params, source, settings);
}

estimatorSuite(
  "forwards",
  (cell, params, stream, options) => forwardsOf(cell, params, stream, { ...options, every: 2 }),
  false,
);

function windows(steps: number, options: Options) {
  const inputs = tensor(new Float32Array(steps), { shape: [steps, 1, 1] });
  const params = initialParams(line, rng(1), float64);
  return forwardsOf(line, params, { inputs, targets: inputs }, options);
}

const loss = (x: Tensor): Tensor => x;
const slopeAt = (t: number): number => t * 0.2 ** (t - 1) * 0.9;

test("an estimator that needs no tape has windows as truncated has", () => {
  const found = Array.from(windows(5, { every: 2, loss, reduction: "mean" }), (w) => ({
    span: [w.index, w.start, w.end, w.count],
    loss: w.loss,
    w: w.gradients.w.item(),
    x: w.state.x.item(),
  }));
  expect(found.map(({ span }) => span)).toEqual([
    [0, 0, 2, 2],
    [1, 2, 4, 2],
    [2, 4, 5, 1],
  ]);
  for (const { span, loss, w, x } of found) {
    const [, start, end, count] = span as [number, number, number, number];
    const mean = (of: (t: number) => number) =>
      Array.from({ length: count }, (_, i) => of(start + i + 1)).reduce((a, b) => a + b) / count;
    expect(w).toBeCloseTo(mean(slopeAt), 12);
    expect(loss).toBeCloseTo(mean(stateAt), 12);
    expect(x).toBeCloseTo(stateAt(end), 12);
  }
});

test("its tensors end with their window, and its errors have its name", () => {
  const all = windows(4, { every: 2, loss });
  const first = all.next().value!;
  all.next();
  expect(() => first.gradients.w.item()).toThrow(/its window is over/);
  expect(() => first.state).toThrow(/^forwards: the state of window 0 is gone/);
  expect(() => windows(4, { every: 2, loss, k1: 3 } as Options)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: forwards: there is no option "k1". It takes every, loss, state, reduction, measure, compile, burnIn, rng, communicator]`,
  );
  expect(() => windows(4, { every: 2 } as Options)).toThrow(/^forwards: loss must be a function/);
});
