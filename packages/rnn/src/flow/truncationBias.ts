import { type Tensor, tree } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "../cell.ts";
import { textOf } from "../checkDefinition.ts";
import type { StepSource } from "../truncated/stream.ts";
import { type Bands, type Course, sweepBands } from "./bands.ts";
import { exactBias, type GradientBias, type Part } from "./gradientBias.ts";
import { checkLossOptions, type FlowLossOptions } from "./lossAt.ts";
import { sampleBands } from "./sampleBands.ts";
import { sampledBias } from "./sampledBias.ts";
import { withLosses } from "./withLosses.ts";

/** Which truncations to measure, and whether exactly or by samples. */
export interface TruncationBiasOptions<State, Y = Tensor, Target = Tensor>
  extends FlowLossOptions<State, Y, Target> {
  /** Steps between updates. */
  readonly k1: number;
  /** Steps that a gradient reaches back; or several such numbers, measured in one pass. */
  readonly k2: number | readonly number[];
  /** How many windows to draw, at least 64; all windows are swept, exactly, unless given. */
  readonly samples?: number;
  /** Draws the windows, and how far back each goes. */
  readonly draws?: Rng;
  /**
   * Steps that each sample goes back beyond the largest k2, and again in the mean beyond those;
   * that k2 unless given. The slower gradients decay, the larger it should be.
   */
  readonly horizon?: number;
}

/** The bias of the gradient with one k2. */
export interface WindowBias {
  readonly k2: number;
  /** Of all parameters together. */
  readonly all: GradientBias;
  /** Of each tensor of parameters, by its path. */
  readonly params: { readonly [path: string]: GradientBias };
}

/** What truncation does to a gradient. */
export interface TruncationBias {
  readonly k1: number;
  /** T. */
  readonly steps: number;
  readonly windows: number;
  /** How many windows were drawn; `null` where the numbers are exact. */
  readonly samples: number | null;
  /** For each k2 as it was given. */
  readonly biases: readonly WindowBias[];
}

const where = "truncationBias";
const fewest = 64;

/**
 * How far the gradient of truncated back-propagation, the sum of its windows' with frozen weights
 * and `losses: "new"`, is from the full gradient of the same losses: cosine, relative error and
 * ratio of norms, over all parameters and for each.
 *
 * The full gradient is the truncated one and what arrives at the cuts, carried on to the parameters
 * before them: `sum_j [g_j + lambda_j' S_{s_j}]`. One sweep back through the stream gives both for
 * all k2: for each step as many pullbacks of its parameters as there are numbers k2, and one more,
 * and of the state as windows overlap, `ceil(k2 / k1) + 1`. It holds the states of all steps, and
 * one step at a time on a tape.
 *
 * With `samples` it is estimated, for streams that are too long for that: windows are drawn, swept
 * back `k2 + horizon` steps and beyond for a number of steps that is drawn too, with weights that
 * keep the gradients unbiased (Tallec & Ollivier 2017). All numbers then come with intervals of 95
 * %, which have no upper end where the full gradient may be 0.
 *
 * @param stream steps or a whole sequence, as `truncated` takes them. Gradients are sums over the
 *   batch. A stream of a model with noise takes `rng`; what is drawn per window is drawn every k1
 *   steps
 * @throws for k2 < k1, no loss at any step, a loss that is not finite
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams } from "@chronograd/rnn";
 * import { truncationBias } from "@chronograd/rnn/flow";
 *
 * const cell = elman({ input: 1, hidden: 4 });
 * const params = initialParams(cell, rng(1));
 * const steps = Array.from({ length: 40 }, (_, t) => ({
 *   input: tensor([[Math.sin(t)]]),
 *   target: tensor([[0, 0, 0, Math.sin(t + 1)]]),
 * }));
 * const { biases } = truncationBias(cell, params, steps, {
 *   k1: 1,
 *   k2: [1, 4, 16, 40],
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * const errors = biases.map(({ all }) => all.relativeError.value!);
 * errors.every((error, i) => i === 0 || error < errors[i - 1]!); // => true
 * errors[3]; // => 0
 * ```
 */
export function truncationBias<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  stream: StepSource<X, Target>,
  options: TruncationBiasOptions<State, Y, Target>,
): TruncationBias {
  checkLossOptions(where, stream, options, ["k1", "k2", "samples", "draws", "horizon"]);
  checkBiasOptions(options);
  const { loss, k1, k2, state, rng, samples, draws } = options;
  const given = typeof k2 === "number" ? [k2] : k2;
  const k2s = [...new Set(given)].sort((a, b) => a - b);
  const run = { ...(state !== undefined && { state }), ...(rng !== undefined && { rng }) };
  return withLosses(
    where,
    cell,
    params,
    stream,
    run,
    (trajectory) => {
      const course: Course<Params, State, X, Y, Target> = { where, cell, params, loss, trajectory };
      const steps = trajectory.length;
      const horizon = options.horizon ?? k2s.at(-1)!;
      const all =
        samples === undefined
          ? [sweepBands(course, { k1, k2s, from: 0, to: steps })]
          : sampleBands(course, { k1, k2s, samples, draws: draws!, horizon });
      if (all.every(({ losses }) => losses === 0)) {
        throw new RangeError(
          `${where}: the loss is null at ${samples === undefined ? `all ${steps} steps` : `every step of the ${samples} windows drawn`}, so there is no gradient to be biased; give a stream with losses`,
        );
      }
      return {
        k1,
        steps,
        windows: Math.ceil(steps / k1),
        samples: samples ?? null,
        biases: given.map((each) => windowBias(params, all, each, k2s.indexOf(each))),
      };
    },
    k1,
  );
}

/** The bias with k2s[index], of all parameters and of each. */
function windowBias(params: unknown, all: readonly Bands[], k2: number, index: number): WindowBias {
  const within = all.map(({ vectors }) => sumOf(vectors.slice(0, index + 1)));
  const beyond = all.map(({ vectors }) => sumOf(vectors.slice(index + 1)));
  const bias = (part: Part) =>
    all.length === 1 ? exactBias(within[0]!, beyond[0]!, part) : sampledBias(within, beyond, part);
  const parts: [string, GradientBias][] = [];
  let from = 0;
  for (const [path, x] of tree.leavesWithPath<Tensor>(params)) {
    if (x.dtype === "int32") continue;
    parts.push([path, bias({ from, until: from + x.size })]);
    from += x.size;
  }
  return { k2, all: bias({ from: 0, until: from }), params: Object.fromEntries(parts) };
}

/** The sum of vectors. */
function sumOf(vectors: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
  return sum;
}

function checkBiasOptions<State, Y, Target>(
  options: TruncationBiasOptions<State, Y, Target>,
): void {
  const { k1, k2, samples, draws, horizon } = options;
  const all: readonly unknown[] = Array.isArray(k2) ? k2 : [k2];
  for (const [name, value] of [["k1", k1] as const, ...all.map((each) => ["k2", each] as const)]) {
    if (Number.isInteger(value) && (value as number) >= 1) continue;
    throw new RangeError(
      `${where}: ${name} must be a whole number of steps of at least 1, got ${textOf(value)}`,
    );
  }
  if (all.length === 0) throw new RangeError(`${where}: k2 must be a number or a list, got []`);
  const short = (all as number[]).find((each) => each < k1);
  if (short !== undefined) {
    throw new RangeError(`${where}: k2 must be at least k1, got k1 ${k1} and k2 ${short}`);
  }
  if (samples === undefined) {
    const needless = draws !== undefined ? "draws" : horizon !== undefined ? "horizon" : undefined;
    if (needless === undefined) return;
    throw new TypeError(
      `${where}: ${needless} is for samples, and without them the bias is exact; give samples, or leave ${needless} out`,
    );
  }
  if (!Number.isInteger(samples) || samples < fewest) {
    throw new RangeError(
      `${where}: samples must be a whole number of at least ${fewest}, for an interval, got ${textOf(samples)}`,
    );
  }
  if (typeof draws?.uniform !== "function") {
    throw new TypeError(
      `${where}: samples need draws, a generator such as rng(1), got ${textOf(draws)}`,
    );
  }
  if (horizon !== undefined && !(horizon > 0 && Number.isFinite(horizon))) {
    throw new RangeError(
      `${where}: horizon must be a number of steps greater than 0, got ${textOf(horizon)}`,
    );
  }
}
