import { scope, Tape } from "@chronograd/autodiff";
import { applyUpdates, chain, clipByGlobalNorm, crossEntropy } from "@chronograd/nn";
import { unroll } from "@chronograd/rnn";
import type { Subject } from "../subject.ts";
import { type Elements, fixture, read } from "./fixture.ts";
import { modelOf, type Parameters, readParameters, steps } from "./model.ts";
import { optimizerOf } from "./optimizers.ts";
import { Worst } from "./worst.ts";

interface Trajectory {
  readonly label: string;
  readonly optimizer: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly maxNorm: number;
  /** In how many steps the norm was above the limit. */
  readonly clipped: number;
  readonly T: number;
  readonly symbols: Elements;
  readonly start: Parameters;
  readonly losses: readonly number[];
  readonly final: Parameters;
}

/** Trains as the oracle did: every step unrolls, sweeps, clips and updates. */
function follow(each: Trajectory, lossesSeen: Worst, weightsSeen: Worst): void {
  const { T, optimizer: name, options, maxNorm, start, losses, final } = each;
  scope(() => {
    const symbols = read(each.symbols, true);
    const model = modelOf(start);
    const optimizer = chain({ clip: clipByGlobalNorm(maxNorm), rule: optimizerOf(name, options) });
    let params = readParameters(start);
    let state = optimizer.init(params);
    let clipped = 0;
    for (const [i, expected] of losses.entries()) {
      [params, state] = scope(() => {
        const tape = new Tape();
        const watched = tape.watch(params);
        const inputs = steps(symbols, i * T, (i + 1) * T);
        const targets = steps(symbols, i * T + 1, (i + 1) * T + 1);
        const { outputs } = unroll(model, watched, inputs);
        const loss = crossEntropy(outputs, targets);
        lossesSeen.number(loss.item(), expected, () => `loss of step ${i + 1}`);
        const [updates, next] = optimizer.update(tape.gradient(loss, watched), state, params);
        clipped += Number(next.clip.norm.item() > maxNorm);
        return [applyUpdates(params, updates), next];
      });
    }
    lossesSeen.number(clipped, each.clipped, () => "steps with clipping");
    weightsSeen.tree(params, final, "final");
  });
}

/** Whole training runs from the same weights on the same symbols. */
export function trajectory(): Subject[] {
  const { torch, cases } = fixture<Trajectory>("trajectory");
  return cases.map((each) => ({
    name: each.label,
    group: "PyTorch: training over 100 steps",
    laws: [
      {
        name: "losses",
        statement: `the loss of every step, with clipping, = PyTorch ${torch}'s`,
        bound: 1e-9,
        measure: () => {
          const worst = new Worst();
          follow(each, worst, new Worst());
          return worst;
        },
      },
      {
        name: "final weights",
        statement: `the weights after the last step = PyTorch ${torch}'s`,
        bound: 1e-9,
        measure: () => {
          const worst = new Worst();
          follow(each, new Worst(), worst);
          return worst;
        },
      },
    ],
  }));
}
