import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "../../cell.ts";
import { checkCell } from "../../checkCell.ts";
import type { Model } from "../../derivatives/model.ts";
import type { LocalWindows } from "../../truncated/estimators/estimator.ts";
import { Source } from "../../truncated/source.ts";
import type { AsyncStepSource, StepSource } from "../../truncated/stream.ts";
import { type Windows, windowsOf } from "../../truncated/window.ts";
import { ForwardRun } from "./forwardRun.ts";
import type { Influence } from "./influence.ts";
import { type ForwardOptions, type ForwardSettings, forwardSettings } from "./options.ts";

/**
 * The windows of a forward estimator: the public functions differ in their influence alone.
 *
 * @param own names of its own options
 */
export function forwardWindows<Carried, Params, State, X, Y, Target>(
  where: string,
  influenceOf: (model: Model) => Influence<Carried>,
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target> | AsyncStepSource<X, Target>,
  options: ForwardOptions<State, Y, Target> & { readonly draws?: Rng },
  own: readonly string[],
): Windows<Values<Params>, Values<State>> {
  checkCell(where, cell, "step", "run whole sequences with unroll, and differentiate that");
  const settings = forwardSettings(where, options, own);
  const source = new Source<X, Target>(where, stream);
  const estimator = (
    model: Cell<Params, State, X, Y>,
    present: () => Values<Params>,
    steps: Source<X, Target>,
    given: ForwardSettings<State, Y, Target>,
  ) => windowsForwards(influenceOf, model, present, steps, given);
  return windowsOf(estimator, cell, params, source, settings);
}

function* windowsForwards<Carried, Params, State, X, Y, Target>(
  influenceOf: (model: Model) => Influence<Carried>,
  cell: Cell<Params, State, X, Y>,
  params: () => Values<Params>,
  source: Source<X, Target>,
  settings: ForwardSettings<State, Y, Target>,
): LocalWindows<Params, State> {
  const run = new ForwardRun(influenceOf, cell, settings);
  try {
    yield* run.begin(params(), source);
    for (;;) {
      source.beginWindow();
      const newFrom = run.t;
      const losses: number[] = [];
      let count = 0;
      while (losses.length < settings.k1) {
        const step = yield* source.next();
        if (step === undefined) break;
        const taken = run.take(params(), step, losses.length === 0);
        losses.push(taken.loss);
        count += taken.count;
      }
      if (losses.length === 0) return;
      yield {
        start: settings.burnIn,
        newFrom,
        end: run.t,
        losses,
        count,
        gradientCount: count,
        gradients: (tokens) => ({ gradients: [run.gradient(params(), tokens)] }),
        entries: 0,
        explain: () => run.explain(),
        state: run.state,
      };
    }
  } finally {
    run.end();
  }
}
