import { type Tensor, tensor } from "@chronograd/autodiff";
import { adam, applyUpdates, linear, rng } from "@chronograd/nn";
import { elman, gru, initialParams, lstm, sequential, truncated } from "@chronograd/rnn";
import {
  chooseWindow,
  gateSaturation,
  lagMatrix,
  lyapunovSpectrum,
  truncationBias,
  verdict,
} from "@chronograd/rnn/flow";
import {
  drawGates,
  drawLagMatrix,
  drawLyapunovSpectrum,
  drawReach,
  drawTruncationBias,
} from "chronograd/flow";

/** What the instruments find of one cell. */
export interface FlowOfCell {
  readonly cell: string;
  readonly loss: number;
  readonly verdict: string;
  readonly exponent: number;
  readonly reach: readonly (number | null)[];
  readonly k2: number | null;
  readonly refusal: string | null;
  readonly heldOut: number | null;
  /** Relative bias of k1 = 4 and k2 = 4. */
  readonly biasOfFour: number | null;
  readonly pictures: Readonly<Record<"lags" | "reach" | "bias" | "lyapunov" | "gates", string>>;
}

/** The same task learnt by three cells. */
export interface FlowTable {
  readonly cells: readonly FlowOfCell[];
}

const [hidden, rows, delay, tolerance] = [12, 2, 8, 0.1] as const;
const k1 = 4;

/** Random inputs, and as target the input `delay` steps ago beside the last one. */
function steps(count: number, seed: number): { input: Tensor; target: Tensor }[] {
  const random = rng(seed, "inputs");
  const all = Array.from({ length: count + delay }, () =>
    Array.from({ length: rows }, () => random.normal()),
  );
  return Array.from({ length: count }, (_, t) => ({
    input: tensor(all[t + delay]!.map((x) => [x])),
    target: tensor(all[t]!.map((past, row) => [0.7 * past + 0.3 * all[t + delay]![row]!])),
  }));
}

const loss = (output: Tensor, target: Tensor) => output.sub(target).square();

/** Trains each cell, and looks at it on steps that it has not seen. */
export function flowTable(): FlowTable {
  const cells = { Elman: elman, GRU: gru, LSTM: lstm } as const;
  return {
    cells: Object.entries(cells).map(([name, make]) => lookAt(name, make)),
  };
}

function lookAt(name: string, make: typeof elman | typeof gru | typeof lstm): FlowOfCell {
  const model = sequential({
    cell: make({ input: 1, hidden }) as ReturnType<typeof elman>,
    head: linear({ input: hidden, output: 1 }),
  });
  let params = initialParams(model, rng(1));
  const optimizer = adam({ learningRate: 0.01 });
  let state = optimizer.init(params);
  const windows = truncated(model, () => params, steps(4000, 1), {
    ...{ loss, k1: 16, k2: 32, reduction: "mean", compile: true },
  });
  for (const { gradients } of windows) {
    const [updates, next] = optimizer.update(gradients, state, params);
    params = applyUpdates(params, updates);
    state = next;
  }
  const stretch = steps(160, 2);
  const lags = lagMatrix(model, params, stretch, { loss, lags: 40 });
  const chosen = chooseWindow(model, params, stretch, { loss, k1, tolerance });
  const spectrum = lyapunovSpectrum(model, params, stretch);
  const { biases } = truncationBias(model, params, stretch, { loss, k1, k2: [k1] });
  const { verdict: kind, exponent } = verdict(spectrum);
  const last = [
    ...truncated(model, params, stretch, { loss, k1: 160, k2: 160, reduction: "mean" }),
  ];
  return {
    cell: name,
    loss: last[0]!.loss,
    ...{ verdict: kind, exponent },
    reach: lags.reach.map((each) => each.steps),
    ...{ k2: chosen.k2, refusal: chosen.refusal, heldOut: chosen.heldOut?.value ?? null },
    biasOfFour: biases[0]!.all.relativeError.value,
    pictures: {
      lags: drawLagMatrix(lags),
      reach: drawReach(lags),
      bias: drawTruncationBias(
        { [`k1 = ${k1}`]: chosen.measured },
        { tolerance, ...(chosen.k2 !== null && { k2: chosen.k2 }) },
      ),
      lyapunov: drawLyapunovSpectrum(spectrum),
      gates: drawGates(gateSaturation(model, params, stretch)),
    },
  };
}
