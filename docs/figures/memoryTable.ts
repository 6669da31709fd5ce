import { ones, scope, type Tensor, tensor, vjp } from "@chronograd/autodiff";
import { linear, rng } from "@chronograd/nn";
import {
  type Cell,
  initialParams,
  type LoopMemory,
  lstm,
  sequential,
  type UnrollCost,
  unroll,
  unrollCost,
} from "@chronograd/rnn";

/** Full back-propagation through one sequence, within one budget. */
export interface Row {
  readonly budget: string;
  /** What the library says before it runs. */
  readonly cost: UnrollCost;
  /** Bytes of kernel memory, from the call to the end of the sweep, at most. */
  readonly peak: number;
  /** The part of the memory for "all" that is not taken. */
  readonly saved: number;
}

const predictor = sequential({
  lstm: lstm({ input: 1, hidden: 16 }),
  head: linear({ input: 16, output: 1 }),
});

/** The predictor with the loss in its step. */
const model: Cell<
  typeof predictor.params,
  typeof predictor.state,
  { x: Tensor; target: Tensor },
  Tensor
> = {
  params: predictor.params,
  state: predictor.state,
  step(params, { x, target }, state) {
    const [y, next] = predictor.step(params, x, state);
    return [y.sub(target).square().sum(-1), next];
  },
};
const mebibyte = 2 ** 20;
const budgets: readonly (readonly [text: string, memory: LoopMemory])[] = [
  ['"all"', "all"],
  ["{ steps: 10 }", { steps: 10 }],
  ["{ bytes: 2 ** 21 }", { bytes: 2 * mebibyte }],
  ["{ bytes: 2 ** 24 }", { bytes: 16 * mebibyte }],
];

/** Runs what it tells of, for sequences of several lengths. */
export function memoryTable(): readonly Row[] {
  const params = initialParams(model, rng(1));
  const { memory: kernel } = params.lstm.W.backend;
  return [1000, 10_000, 100_000].flatMap((steps) => {
    const wave = Float32Array.from({ length: steps + 1 }, (_, t) => Math.sin(t / 10));
    const part = (from: number) => tensor(wave.slice(from, from + steps), { shape: [steps, 1, 1] });
    const inputs = { x: part(0), target: part(1) };
    const cotangent = ones([steps, 1]);
    const rows = budgets.map(([budget, memory]) => {
      const options = { compile: true, memory };
      const cost = unrollCost(model, params, inputs, options);
      const losses = (p: typeof params) => unroll(model, p, inputs, options).outputs;
      const before = kernel.bytesInUse;
      const peak = kernel.peakDuring(() =>
        scope(() => {
          const [, pullback] = vjp(losses, params);
          pullback(cotangent);
        }),
      );
      return { budget, cost, peak: peak - before };
    });
    const [{ peak: most }] = rows as [(typeof rows)[0]];
    return rows.map((row) => ({ ...row, saved: 1 - row.peak / most }));
  });
}
