import { clone, defaultBackend, detach, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/internal";
import { type Rng, rng } from "@chronograd/nn";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { chooseEngine } from "../truncated/engines/choosing.ts";
import type { Engine } from "../truncated/engines/engine.ts";
import { begin, type LocalWindows, localWindow } from "../truncated/estimators/estimator.ts";
import { type StreamOptions, type StreamSettings, streamSettings } from "../truncated/options.ts";
import { Source, stepIsOver, streamIsOver } from "../truncated/source.ts";
import type { Owned, PreparedStep } from "../truncated/step.ts";
import type { AsyncStepSource, StepSource } from "../truncated/stream.ts";
import { noted } from "../truncated/unchanged.ts";
import { type Window, type Windows, windowsOf } from "../truncated/window.ts";
import { drawCredit, probabilityOf, type RandomCuts, withCredit } from "./cuts.ts";
import { checkDraws } from "./draws.ts";

/** What is asked of randomly cut windows. */
export interface ArtbpOptions<State, Y = Tensor, Target = Tensor>
  extends StreamOptions<State, Y, Target>,
    RandomCuts {
  /**
   * Draws where the stream is cut: one number when the stream begins, the seed of all its cuts. Of
   * several workers that of rank 0 counts, so that all cut after the same steps.
   */
  readonly draws: Rng;
}

interface Settings<State, Y, Target> extends StreamSettings<State, Y, Target> {
  readonly draws: Rng;
  readonly probability: (since: number) => number;
}

/**
 * Unbiased truncation: windows that end at random, and gradients that make up for what the cuts
 * leave out (Tallec & Ollivier 2017, Unbiasing truncated backpropagation through time: ARTBP).
 *
 * After each step the stream is cut with probability c. A window is what lies between two cuts, and
 * its gradient is that of all its losses, where whatever flows back across a step without a cut is
 * divided by 1 - c. A gradient that must pass n steps arrives with probability (1 - c)^n, and n
 * factors, so the sums over a stream have the gradient of full back-propagation as their mean; no
 * value of the model changes. The variance grows with the reach of the model, since these factors
 * do. A probability that falls with the steps since the last cut, such as `(n) => a / ((a - 1) * L
 * + n)` for windows of about L steps with a power a as their tail, keeps the factors smaller than a
 * constant does (the paper's section 4).
 *
 * The mean is right with frozen parameters and the reduction `"sum"`; `"mean"` divides each window
 * by its own number of tokens, so that losses in short windows count more. Noise that is drawn per
 * window begins anew at each cut, which ties the values of such a model to the cuts. What is on the
 * tape is one window, which may be long.
 *
 * @param cell the model: a cell, or a `sequential` of cells and layers
 * @param params its parameters, or a function that returns the present ones; see `truncated`
 * @param stream steps, or a whole sequence, as `truncated` takes them
 * @returns windows as `truncated` yields them, where `start` and `newFrom` are the cut before
 * @throws for neither or both of `steps` and `probability`, a probability that is not below 1, and
 *   what `truncated` throws for
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams } from "@chronograd/rnn";
 * import { artbp } from "@chronograd/rnn/estimators";
 *
 * const cell = gru({ input: 1, hidden: 1 });
 * const steps = [1, 2, 3, 4, 5, 6].map((x) => ({ input: tensor([[x]]), target: tensor([[0]]) }));
 * const windows = artbp(cell, initialParams(cell, rng(1)), steps, {
 *   steps: 2,
 *   draws: rng(1, "cuts"),
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * const ends = Array.from(windows, (window) => window.end);
 * ends.at(-1); // => 6
 * ```
 */
export function artbp<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: AsyncStepSource<X, Target>,
  options: ArtbpOptions<State, Y, Target>,
): AsyncGenerator<Window<Values<Params>, Values<State>>, void>;
export function artbp<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target>,
  options: ArtbpOptions<State, Y, Target>,
): Generator<Window<Values<Params>, Values<State>>, void>;
export function artbp<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target> | AsyncStepSource<X, Target>,
  options: ArtbpOptions<State, Y, Target>,
): Windows<Values<Params>, Values<State>> | AsyncGenerator<Window<Values<Params>, Values<State>>> {
  const where = "artbp";
  checkCell(where, cell, "step", "run whole sequences with unroll, and differentiate that");
  const ofStream = streamSettings(where, options, ["draws"], ["steps", "probability"]);
  const { draws } = options;
  checkDraws(where, draws);
  const settings = { ...ofStream, draws, probability: probabilityOf(where, options) };
  return windowsOf(randomWindows, cell, params, new Source(where, stream), settings);
}

/** A step, and what multiplies the gradient that flows back from it. */
type Credited = { readonly credit: Tensor };

const stateOf = <State>(state: State, step: object): State =>
  withCredit(state, (step as Credited).credit);

/** An engine for each window, from one cut to the next. */
function* randomWindows<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: () => Values<Params>,
  source: Source<X, Target>,
  settings: Settings<State, Y, Target>,
): LocalWindows<Params, State> {
  const { draws, probability, communicator } = settings;
  // One collective, before anything of this worker alone can fail.
  const cuts = rng(communicator.broadcast(draws.bits()));
  const plain = { k1: 1, k2: Infinity, losses: "new", multiplicity: false } as const;
  const ofEngine = { ...settings, ...plain, stateOf };
  /** Owns the state at the cut. */
  let place = new Region();
  let engine: Engine<Params, State, X, Target> | undefined;
  /** Steps that were read and not taken. */
  let steps: Owned<PreparedStep<X, Target>>[] = [];
  try {
    let { state, start } = yield* begin(cell, settings, params(), source, place);
    for (;;) {
      source.beginWindow();
      yield* source.fill(steps, 1);
      if (steps.length === 0) return;
      const current: Engine<Params, State, X, Target> = within(place, () =>
        chooseEngine(cell, ofEngine, state, start),
      );
      engine = current;
      const present = params();
      const losses: number[] = [];
      for (let credit = 1; steps.length > 0; ) {
        const taken = steps.map((step) => credited(step, credit, current.state));
        losses.push(...current.take(present, taken));
        steps = [];
        credit = drawCredit(cuts, probability(losses.length));
        if (credit !== 0) yield* source.fill(steps, 1);
      }
      const window = localWindow(current, ofEngine, losses);
      yield window;
      current.finish();
      const next = new Region();
      state = within(next, () => {
        return tree.map(current.state, (x: Tensor) => clone(detach(x))) as Values<State>;
      });
      current.end();
      place.end(stepIsOver);
      place = next;
      start = window.end;
    }
  } finally {
    for (const { region } of steps) region.end(streamIsOver);
    engine?.end();
    place.end(streamIsOver);
  }
}

/** A step with the factor of what flows back from it: a tensor, so that one plan fits any. */
function credited<X, Target>(
  { value, region }: Owned<PreparedStep<X, Target>>,
  credit: number,
  state: unknown,
): Owned<PreparedStep<X, Target>> {
  return within(region, () => {
    const { backend = defaultBackend() } = tree.leaves(state)[0] ?? {};
    const factor = tensor(credit, { dtype: "float64", backend });
    return { value: noted({ ...value, credit: factor }, region), region };
  });
}
