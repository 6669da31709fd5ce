// One row of the memory table, in a process of its own so that peaks are its own: the full gradient
// of an LSTM with the loss inside its step, so that outputs stay small. Prints JSON.
import { createHash } from "node:crypto";
import {
  defaultBackend,
  scope,
  type Tensor,
  tensor,
  tree,
  valueAndGrad,
} from "@chronograd/autodiff";
import { linear, rng } from "@chronograd/nn";
import { type Cell, initialParams, lstm, unroll, unrollCost, type Values } from "@chronograd/rnn";
import { median } from "./statistics.ts";

/** What to measure. */
export interface MemoryCase {
  readonly T: number;
  readonly B: number;
  readonly H: number;
  /** Of `unroll`; nothing to record step by step. */
  readonly memory?: "all" | { readonly steps: number } | { readonly bytes: number };
  /** Bytes for everything together: the loop may take what inputs and parameters leave. */
  readonly within?: number;
  /** Runs after the first one; with none the first is timed. */
  readonly repeat: number;
}

/** What was measured. Bytes are those of kernel memory. */
export interface MemoryRow extends MemoryCase {
  /**
   * The most in use at any time, by all, and by a loop from its call to the end of its sweep; plans
   * of an earlier call count in the first.
   */
  readonly peak: number;
  readonly loopPeak: number;
  /** The size of the linear memory in the end, which blocks in use and free ones share. */
  readonly linear: number;
  /** Steps run again for the gradient, and states kept. */
  readonly rerun?: number;
  readonly states?: number;
  readonly seconds: number;
  readonly loss: number;
  /** Of the bytes of the gradient. */
  readonly digest: string;
}

const { T, B, H, memory, within, repeat } = JSON.parse(process.argv[2]!) as MemoryCase;
const layer = lstm({ input: 1, hidden: H });
const head = linear({ input: H, output: 1 });

const params = { layer: layer.params, head: head.params };
/** Predicts the next number of a series; its output is the loss of each row. */
const model: Cell<typeof params, typeof layer.state, { x: Tensor; target: Tensor }> = {
  params,
  state: layer.state,
  step(now, { x, target }, state) {
    const [h, next] = layer.step(now.layer, x, state);
    return [head.apply(now.head, h).sub(target).square(), next];
  },
};

const random = rng(1);
const series = Float32Array.from(
  { length: (T + 1) * B },
  (_, i) => Math.sin(0.1 * Math.floor(i / B)) + 0.1 * random.normal(),
);
const shape = [T, B, 1];
const inputs = {
  x: tensor(series.slice(0, T * B), { shape }),
  target: tensor(series.slice(B), { shape }),
};
const weights = initialParams(model, rng(2));
const kernels = defaultBackend().memory;
const before = kernels.bytesInUse;
const budget = within === undefined ? memory : { bytes: within - before };
const options = budget === undefined ? {} : { compile: true, memory: budget };

let loss = Number.NaN;
let gradient: Values<typeof params> | undefined;
function run(): void {
  const mean = (now: Values<typeof params>): Tensor =>
    unroll(model, now, inputs, options).outputs.mean();
  const [value, gradients] = valueAndGrad(mean)(weights);
  loss = value.item();
  gradient = gradients;
}

const times: number[] = [];
let loopPeak = 0;
let digest = "";
for (let i = 0; i <= repeat; i++) {
  const atCall = kernels.bytesInUse;
  const peak = kernels.peakDuring(() =>
    scope(() => {
      const started = performance.now();
      run();
      times.push(performance.now() - started);
      const hash = createHash("sha256");
      for (const g of tree.leaves(gradient!)) hash.update(g.toTypedArray());
      digest = hash.digest("hex").slice(0, 16);
    }),
  );
  loopPeak = Math.max(loopPeak, peak - atCall);
}
const { peakBytes: peak, wasm } = kernels;
const linearBytes = wasm.buffer.byteLength;
const cost = budget && unrollCost(model, weights, inputs, options);
const row: MemoryRow = {
  ...{ T, B, H, repeat },
  ...(memory !== undefined && { memory }),
  ...(within !== undefined && { within }),
  ...{ peak, loopPeak, linear: linearBytes },
  ...(cost !== undefined && { rerun: cost.rerun, states: cost.states }),
  seconds: median(times.length > 1 ? times.slice(1) : times) / 1000,
  ...{ loss, digest },
};
console.log(JSON.stringify(row));
