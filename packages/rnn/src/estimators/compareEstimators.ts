import { scope, Tensor, tree } from "@chronograd/autodiff";
import { rng, rngFrom } from "@chronograd/nn";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import type { StepSource } from "../truncated/stream.ts";
import { truncated } from "../truncated/truncated.ts";
import { checkComparison, collected } from "./checkComparison.ts";
import type {
  CompareOptions,
  EstimatorComparison,
  EstimatorRow,
  EstimatorWindows,
  NamedEstimator,
  SharedOptions,
} from "./comparison.ts";
import { type Estimate, estimateOf } from "./estimate.ts";
import { Estimates, normOf } from "./estimates.ts";
import { WatchedRng } from "./watchedRng.ts";

const where = "compareEstimators";

/**
 * One table for one cell: how far each estimator's gradient is from that of full back-propagation
 * through time, how much it varies, and what it costs.
 *
 * All estimators see the same stretch of steps, with the same parameters, which stay as they are.
 * The estimate of a run is the sum of its windows' gradients. An estimator that draws from the
 * generator it is given is run `repeats` times; any other one runs twice, the second time for its
 * cost. The bias of an unbiased estimator is about as large as its `biasError`,
 * which is what chance makes of it.
 *
 * @param cell the model, unchanged by any estimator
 * @param params its parameters
 * @param stream a stretch of steps, or a whole sequence, as `truncated` takes them; full
 *   back-propagation over it must fit into memory
 * @param estimators named windows, of this library or your own
 * @returns plain data: a row for each estimator, and full back-propagation
 * @throws where the full gradient is zero, as with losses that are `null` at all steps; for windows
 *   that report another number of losses than there are steps, that are means, or whose gradient is
 *   not finite
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams, truncated } from "@chronograd/rnn";
 * import { artbp, compareEstimators } from "@chronograd/rnn/estimators";
 *
 * const cell = gru({ input: 1, hidden: 2 });
 * const steps = [1, 2, 3, 4, 5, 6].map((x) => ({
 *   input: tensor([[Math.sin(x)]]),
 *   target: tensor([[1, 0]]),
 * }));
 * const table = compareEstimators(
 *   cell,
 *   initialParams(cell, rng(1)),
 *   steps,
 *   [
 *     {
 *       name: "truncated, k2 = 2",
 *       windows: (model, params, stream, options) =>
 *         truncated(model, params, stream, { ...options, k1: 1, k2: 2 }),
 *     },
 *     {
 *       name: "ARTBP",
 *       windows: (model, params, stream, options, draws) =>
 *         artbp(model, params, stream, { ...options, draws, steps: 3 }),
 *     },
 *   ],
 *   { loss: (y, target) => y.sub(target).square(), repeats: 20 },
 * );
 * table.estimators.map(({ name, runs }) => `${name}: ${runs}`); // => ["truncated, k2 = 2: 2", "ARTBP: 20"]
 * ```
 */
export function compareEstimators<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  stream: StepSource<X, Target>,
  estimators: readonly NamedEstimator<Params, State, X, Y, Target>[],
  options: CompareOptions<State, Y, Target>,
): EstimatorComparison {
  checkCell(where, cell, "step", "only steps have windows");
  checkComparison(where, estimators, options);
  const { repeats = 32, seed = 1, ...shared } = options;
  const steps = collected(where, stream);
  const { memory } = backendOf(params);
  /** One run: the estimate, and what it cost. */
  const run = (
    name: string,
    windows: EstimatorWindows<Params, State, X, Y, Target>,
    at: number,
  ) => {
    const draws = new WatchedRng(rng(seed).split(`${name}, run ${at}`).getState());
    let found: Estimate | undefined;
    const before = memory.bytesInUse;
    const start = performance.now();
    const begin = () => windows(cell, params, steps, again(shared), draws);
    const peak = memory.peakDuring(() =>
      scope(() => {
        found = estimateOf(where, name, params, begin);
      }),
    );
    const seconds = (performance.now() - start) / 1000;
    return { ...found!, seconds, peakBytes: peak - before, isRandom: draws.isUsed };
  };
  const whole: EstimatorWindows<Params, State, X, Y, Target> = (model, values, given, own) =>
    truncated(model, values, given, { ...own, k1: Infinity, k2: Infinity });
  // The first run compiles the functions of JavaScript: the second tells what it costs.
  run("full back-propagation", whole, 1);
  const full = run("full back-propagation", whole, 2);
  const norm = normOf(full.gradient);
  if (norm === 0) {
    throw new RangeError(
      `${where}: the gradient of full back-propagation over these steps is zero, so nothing can be compared with it; are the losses null at all steps?`,
    );
  }
  const rows = estimators.map(({ name, windows }): EstimatorRow => {
    const estimates = new Estimates(full.gradient);
    const seconds: number[] = [];
    let [peakBytes, windowsOfAll, isDeterministic] = [0, 0, false];
    for (let at = 1; at <= (isDeterministic ? 2 : repeats); at++) {
      const found = run(name, windows, at);
      if (found.losses !== full.losses) {
        throw new RangeError(
          `${where}: the windows of "${name}" report ${found.losses} losses, and the stretch has ${full.losses} steps; each step is new in one window`,
        );
      }
      estimates.add(found.gradient);
      seconds.push(found.seconds);
      peakBytes = Math.max(peakBytes, found.peakBytes);
      windowsOfAll += found.windows;
      isDeterministic = !found.isRandom;
    }
    const runs = seconds.length;
    const cost = { seconds: medianOf(seconds.slice(1)), peakBytes };
    return {
      name,
      isDeterministic,
      runs,
      windows: windowsOfAll / runs,
      ...estimates.row(),
      ...cost,
    };
  });
  return {
    steps: full.losses,
    parameters: full.gradient.length,
    full: { norm, loss: full.loss, seconds: full.seconds, peakBytes: full.peakBytes },
    estimators: rows,
  };
}

/** Options for one more run: a generator of noise gives the same noise again. */
function again<State, Y, Target>(
  options: SharedOptions<State, Y, Target>,
): SharedOptions<State, Y, Target> {
  const { rng: random } = options;
  return random == null ? options : { ...options, rng: rngFrom(random.getState()) };
}

function backendOf(params: unknown): Tensor["backend"] {
  const first = tree.leaves(params).find((x) => x instanceof Tensor);
  if (first !== undefined) return first.backend;
  throw new TypeError(`${where}: the model has no parameters, so it has no gradient`);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
