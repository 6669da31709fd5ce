import { scope, type Tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { applyUpdates, chain, clipByGlobalNorm, crossEntropy } from "@chronograd/nn";
import { type TruncatedOptions, truncated as windowsOf } from "@chronograd/rnn";
import type { Subject } from "../subject.ts";
import { type Elements, fixture, read, type Written } from "./fixture.ts";
import { modelOf, type Parameters, readParameters, steps } from "./model.ts";
import { optimizerOf } from "./optimizers.ts";
import { Worst } from "./worst.ts";

interface Stream {
  readonly label: string;
  readonly options: Pick<TruncatedOptions<unknown>, "k1" | "k2" | "reduction" | "stale" | "losses">;
  readonly optimizer: readonly [name: string, options: unknown];
  readonly maxNorm?: number;
  readonly symbols: Elements;
  readonly start: Parameters;
  /** Of each time step. */
  readonly losses: readonly number[];
  /** Of some windows, by index. */
  readonly gradients: Readonly<Record<number, Readonly<Record<string, readonly Written[]>>>>;
  readonly final: Parameters;
}

/** What was seen of a stream, law by law. */
interface Seen {
  readonly losses: Worst;
  readonly gradients: Worst;
  readonly weights: Worst;
}

function follow(each: Stream): Seen {
  const seen = { losses: new Worst(), gradients: new Worst(), weights: new Worst() };
  scope(() => {
    const symbols = read(each.symbols, true);
    const T = symbols.shape[0]! - 1;
    const model = modelOf(each.start);
    const optimizer = chain({
      clip: clipByGlobalNorm(each.maxNorm ?? Infinity),
      rule: optimizerOf(...each.optimizer),
    });
    let params = readParameters(each.start);
    let state = optimizer.init(params);
    const sequence = { inputs: steps(symbols, 0, T), targets: steps(symbols, 1, T + 1) };
    const windows = windowsOf(model, params, sequence, {
      ...each.options,
      loss: (logits: Tensor, targets: Tensor) =>
        crossEntropy(logits, targets, { reduction: "none" }),
    });
    let swept = 0;
    for (const window of windows) {
      for (const [i, loss] of window.losses.entries()) {
        const t = window.newFrom + i;
        swept++;
        seen.losses.number(loss, each.losses[t]!, () => `loss of step ${t + 1}`);
      }
      const expected = each.gradients[window.index];
      if (expected !== undefined) {
        seen.gradients.tree(window.gradients, expected, `window ${window.index}:`);
      }
      const [updates, next] = optimizer.update(window.gradients, state, params);
      params = applyUpdates(params, updates);
      state = next;
    }
    seen.losses.number(swept, each.losses.length, () => "steps with a loss");
    seen.weights.tree(params, each.final, "final");
  });
  return seen;
}

/** Streams that are trained on while they are cut. */
export function truncated(): Subject[] {
  const { torch, cases } = fixture<Stream>("truncated");
  return cases.map((each) => {
    const law = (name: string, about: keyof Seen, statement: string): Law => ({
      name,
      statement: `${statement} = PyTorch ${torch}'s`,
      bound: about === "gradients" ? 1e-10 : 1e-9,
      measure: () => follow(each)[about],
    });
    return {
      name: each.label,
      group: "PyTorch: truncated, with updates in between",
      laws: [
        law("losses", "losses", "the loss of every time step"),
        ...(Object.keys(each.gradients).length > 0
          ? [law("gradients", "gradients", "g_j of a window in the middle and of the last")]
          : []),
        law("final weights", "weights", "the weights after the last window"),
      ],
    };
  });
}
