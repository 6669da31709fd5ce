import { checkOptions } from "../tensor/options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { MapTree } from "../tensor/tree.ts";
import { type Blame, blame, blameSecond } from "./blame.ts";
import { compareDirections } from "./directions.ts";
import { Flattened } from "./function.ts";
import { GradientReport } from "./gradientReport.ts";
import { compareJacobian } from "./jacobian.ts";
import { gradientOf } from "./second.ts";
import { checkSettings } from "./settings.ts";
import { Tally } from "./tally.ts";

/** How `checkGradients` compares. */
export interface CheckOptions {
  /**
   * Largest error allowed, relative to the derivative; 1e-7 unless given. Differences that are less
   * sure than that, relative to the largest derivative of the same output tensor, decide nothing.
   */
  readonly tolerance?: number;
  /**
   * First step of the differences, relative to |x|, at most 0.1; 2^-10 unless given. Others follow
   * where it decides nothing.
   */
  readonly step?: number;
  /** Seed of random cotangents and directions; 1 unless given. */
  readonly seed?: number;
  /**
   * `"full"` compares every element of the Jacobian in reverse and in forward mode: nothing can
   * hide, at a cost of one sweep per output, and one sweep and six evaluations per input element.
   * `"directions"` compares derivatives along random directions, for every output element (forward
   * mode) and against random cotangents (reverse mode): an error has to cancel in all of them to
   * hide, but one in a single element among millions may be too small a part of the sum to show.
   * Unless given: full up to 20,000 elements of the Jacobian, directions beyond.
   */
  readonly mode?: "full" | "directions";
  /** How many random directions; 8 unless given. */
  readonly directions?: number;
  /**
   * 2 to check second derivatives too: the Jacobian of the gradient of a random sum of all outputs;
   * 1 unless given.
   */
  readonly order?: 1 | 2;
  /** Throws an error with the report's text when it is not ok. */
  readonly throws?: boolean;
  /** Whether to look for the entry that is to blame for a failure; true unless given. */
  readonly blame?: boolean;
}

/** The largest Jacobian that is compared element by element unless asked for. */
const fullLimit = 20_000;

const known = ["tolerance", "step", "seed", "mode", "directions", "order", "throws", "blame"];

/**
 * Holds the gradient of `f`, in reverse and in forward mode, to central differences, in float64:
 * derivative by derivative, never in sums.
 *
 * Differences at h, h/2 and h/4 are extrapolated (Richardson 1911) and estimate their own error.
 * Errors are relative to the derivative itself, so `f` and `1e-30 f` get the same verdict; steps
 * are relative to the input, and others are tried where the first decide nothing, as next to a
 * pole. Where all of them contradict each other the derivative is reported as a kink or
 * ill-conditioned, never as right. When a derivative is wrong, the
 * report says what is to blame: the op whose rule is wrong, with its shapes, line and time step; a
 * value that was taken off the tape; a function that is not deterministic.
 *
 * @param f takes a tree of tensors to a tree of tensors
 * @param inputs the tree; its float leaves must be float64
 * @throws for options with which nothing would be shown; when a float leaf is float32, whose
 *   differences could not tell; with `throws`, when the gradient is wrong
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { checkGradients } from "@chronograd/autodiff/testing";
 *
 * const x = tensor([0.3, -1], { dtype: "float64" });
 * checkGradients((z) => z.tanh(), x).ok; // => true
 *
 * // A gradient that is wrong on purpose: detach hides one factor.
 * const report = checkGradients((z) => z.mul(z.detach()), x);
 * [report.ok, report.mismatches.length]; // => [false, 2]
 * report.blame?.kind; // => "off the tape"
 *
 * // A kink: the derivatives from left and right differ.
 * checkGradients((z) => z.abs(), tensor([0, 1], { dtype: "float64" })).undecided.length; // => 1
 * ```
 */
export function checkGradients<T>(
  f: (inputs: MapTree<T, Tensor>) => unknown,
  inputs: T,
  options: CheckOptions = {},
): GradientReport {
  checkOptions("checkGradients", options, known);
  checkSettings("checkGradients", options);
  const { order = 1, tolerance = 1e-7, seed = 1 } = options;
  const flat = new Flattened(f, inputs, "checkGradients");
  const first = compare(flat, options, 1);
  const tallies = [first.tally];
  const isWanted = (tally: Tally) => !tally.isRight && options.blame !== false;
  let culprit: Blame | undefined;
  if (isWanted(first.tally)) culprit = blame(flat, tolerance, seed);
  if (order === 2) {
    const gradient = new Flattened(gradientOf(f, seed), inputs, "checkGradients");
    const { tally } = compare(gradient, options, 2);
    tallies.push(tally);
    if (isWanted(tally)) {
      culprit ??= blameSecond(flat, tolerance, seed) ?? blame(gradient, tolerance, seed);
    }
  }
  const report = new GradientReport({
    mode: first.mode,
    elements: tallies.reduce((n, { elements }) => n + elements, 0),
    sweeps: tallies.every(({ isForward }) => isForward) ? ["backward", "forward"] : ["backward"],
    worst: Math.max(...tallies.map(({ worst }) => worst)),
    mismatches: tallies.flatMap(({ mismatches }) => mismatches),
    undecided: tallies.flatMap(({ undecided }) => undecided),
    blame: culprit,
  });
  if (options.throws === true) report.assert();
  return report;
}

/** Compares the derivatives of one function, in the mode that is asked for. */
function compare<T>(
  flat: Flattened<T>,
  options: CheckOptions,
  order: 1 | 2,
): { tally: Tally; mode: "full" | "directions" } {
  const { tolerance = 1e-7, step = 2 ** -10, seed = 1, directions = 8 } = options;
  const tally = new Tally(tolerance, order);
  const mode = options.mode ?? (flat.x.length * flat.outputs <= fullLimit ? "full" : "directions");
  if (mode === "full") compareJacobian(flat, step, seed, tally);
  else compareDirections(flat, step, seed, directions, tally);
  return { tally, mode };
}
