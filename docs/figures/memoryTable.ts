import { ones, scope, type Tensor, tensor, vjp } from "@chronograd/autodiff";
import { linear, rng } from "@chronograd/nn";
import { type Cell, initialParams, lstm, type UnrollOptions, unroll } from "@chronograd/rnn";

/** Full back-propagation through one sequence, within one budget. */
export interface Row {
  readonly steps: number;
  readonly budget: string;
  /** Bytes of kernel memory, at most, from the call to the end of the sweep. */
  readonly peak: number;
  /** Part of what "all" takes. */
  readonly saved: number;
  /** Steps that ran again. */
  readonly again: number;
}

const hidden = 16;
const inner = lstm({ input: 1, hidden });
const head = linear({ input: hidden, output: 1 });

type Params = { readonly lstm: typeof inner.params; readonly head: typeof head.params };
type Step = { readonly x: Tensor; readonly target: Tensor };

/** An LSTM that gives the loss of a step. Its noise is 0, and counts how many steps are run. */
let drawn = 0;
const meter: Cell<Params, typeof inner.state, Step, Tensor> = {
  params: { lstm: inner.params, head: head.params },
  state: inner.state,
  noise: {
    shape: [1],
    per: "step",
    rows: false,
    draw() {
      drawn++;
      return Float64Array.of(0);
    },
  },
  step({ lstm: own, head: last }, { x, target }, state) {
    const [h, next] = inner.step(own, x, state);
    return [head.apply(last, h).sub(target).square().sum(-1), next];
  },
};
const budgets = ["all", { steps: 100 }, { steps: 10 }, { bytes: 2 ** 21 }] as const;

/** Runs what it tells of. */
export function memoryTable(): readonly Row[] {
  const params = initialParams(meter, rng(1));
  const { memory: kernel } = params.lstm.W.backend;
  return [1000, 10_000, 100_000].flatMap((steps) => {
    const wave = Float32Array.from({ length: steps + 1 }, (_, t) => Math.sin(t / 10));
    const shape = [steps, 1, 1];
    const inputs = { x: tensor(wave.slice(0, -1), { shape }), target: tensor(wave.slice(1), { shape }) };
    const cotangent = ones(shape.slice(0, 2));
    const measure = (memory: UnrollOptions<never>["memory"]) => {
      const losses = (p: typeof params) =>
        unroll(meter, p, inputs, { compile: true, memory, rng: rng(1) }).outputs;
      const sweep = () =>
        scope(() => {
          const [, pullback] = vjp(losses, params);
          pullback(cotangent);
        });
      // The first call makes the plans, and measures.
      if (steps === 1000) sweep();
      const [before, runs] = [kernel.bytesInUse, drawn];
      const peak = kernel.peakDuring(sweep) - before;
      return { peak, again: drawn - runs - steps };
    };
    const { peak: most } = measure("all");
    return budgets.map((memory) => {
      const { peak, again } = measure(memory);
      return { steps, budget: textOf(memory), peak, saved: 1 - peak / most, again };
    });
  });
}

function textOf(memory: (typeof budgets)[number]): string {
  if (memory === "all") return '"all"';
  const [[name, value]] = Object.entries(memory) as [[string, number]];
  return `{ ${name}: ${value === 2 ** 21 ? "2 ** 21" : value} }`;
}
