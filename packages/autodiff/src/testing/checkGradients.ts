import { indexOf } from "../passes/site.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { MapTree } from "../tensor/tree.ts";
import { type Blame, blame } from "./blame.ts";
import { Flattened, partAt, randomVector } from "./function.ts";

/** How `checkGradients` compares. */
export interface CheckOptions {
  /** Largest error allowed, relative to the larger of both numbers and 1; 1e-7 unless given. */
  readonly tolerance?: number;
  /** First step of the differences, relative to the larger of |x| and 1; 1e-3 unless given. */
  readonly step?: number;
  /** Seed of random cotangents and directions; 1 unless given. */
  readonly seed?: number;
  /**
   * `"full"` compares every element of the Jacobian: nothing can hide, at a cost of one sweep per output and six
   * evaluations per input element. `"directions"` compares derivatives along random directions, for every output
   * element (forward mode) and against random cotangents (reverse mode): an error has to cancel in all of them to
   * hide, but one in a single element among millions may be too small a part of the sum to show. Unless given: full
   * up to 20,000 elements of the Jacobian, directions beyond.
   */
  readonly mode?: "full" | "directions";
  /** How many random directions; 8 unless given. */
  readonly directions?: number;
  /** Throws an error with the report's text when it is not ok. */
  readonly throws?: boolean;
  /** Whether to look for the entry that is to blame for a failure; true unless given. */
  readonly blame?: boolean;
}

/** One derivative whose two values differ: of an output element by an input element, or along a direction. */
export interface GradientMismatch {
  /** Path and element of the input; for a direction, `"(direction n)"` and -1. */
  readonly path: string;
  readonly index: number;
  /** Path and element of the output; for a random cotangent, `"(cotangent)"` and -1. */
  readonly output: string;
  readonly outputIndex: number;
  readonly analytic: number;
  readonly numeric: number;
  /** The numeric side's estimate of its own error. */
  readonly uncertainty: number;
  /** Both places and numbers in words. */
  readonly message: string;
}

/** What `checkGradients` found. */
export class GradientReport {
  readonly mode: "full" | "directions";
  /** Derivatives compared. */
  readonly elements: number;
  /** Largest relative error. */
  readonly worst: number;
  readonly mismatches: readonly GradientMismatch[];
  /**
   * Derivatives that differences with different steps, or from both sides, contradict each other about: a kink, or
   * ill-conditioned. They are never counted as right.
   */
  readonly undecided: readonly GradientMismatch[];
  /** What is wrong, where something is. */
  readonly blame: Blame | undefined;

  constructor(fields: Omit<GradientReport, "ok" | "toString" | "assert">) {
    this.mode = fields.mode;
    this.elements = fields.elements;
    this.worst = fields.worst;
    this.mismatches = fields.mismatches;
    this.undecided = fields.undecided;
    this.blame = fields.blame;
  }

  /** Whether every derivative was compared and found right. */
  get ok(): boolean {
    return this.mismatches.length === 0 && this.undecided.length === 0;
  }

  /** Throws an error with the report's text unless all is right. */
  assert(): void {
    if (!this.ok) throw new Error(this.toString());
  }

  toString(): string {
    const { mismatches, undecided, elements, mode, worst, blame } = this;
    const what =
      mode === "full" ? "elements of the Jacobian" : "derivatives along random directions";
    if (this.ok)
      return `gradients agree: ${elements} ${what}, worst error ${worst.toExponential(1)}`;
    const lines: string[] = [];
    if (mismatches.length > 0) {
      lines.push(`gradients differ: ${mismatches.length} of ${elements} ${what}; the worst:`);
      const order = [...mismatches].sort((a, b) => distance(b) - distance(a));
      lines.push(...order.slice(0, 3).map(({ message }) => `  ${message}`));
    }
    if (undecided.length > 0) {
      lines.push(`kink or ill-conditioned: ${undecided.length} of ${elements} ${what}; the first:`);
      lines.push(...undecided.slice(0, 3).map(({ message }) => `  ${message}`));
    }
    if (blame !== undefined) lines.push(blame.message);
    return lines.join("\n");
  }
}

/** The largest Jacobian that is compared element by element unless asked for. */
const fullLimit = 20_000;

/**
 * Holds the gradient of `f` to central differences, in float64: derivative by derivative, never in sums.
 *
 * Differences at h, h/2 and h/4 are extrapolated (Richardson 1911) and estimate their own error; where they contradict
 * each other the derivative is reported as a kink or ill-conditioned, never as right. When a derivative is wrong, the
 * report says what is to blame: the op whose rule is wrong, with its shapes, line and time step; a value that was
 * taken off the tape; a function that is not deterministic.
 *
 * @param f takes a tree of tensors to a tree of tensors
 * @param inputs the tree; its float leaves must be float64
 * @throws when a float leaf is float32, whose differences could not tell; with `throws`, when the gradient is wrong
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
  const { tolerance = 1e-7, step = 1e-3, seed = 1, directions = 8 } = options;
  const flat = new Flattened(f, inputs, "checkGradients");
  const size = flat.x.length * flat.outputs;
  const mode = options.mode ?? (size <= fullLimit ? "full" : "directions");
  const tally = new Tally(tolerance);
  if (mode === "full") compareJacobian(flat, step, seed, tally);
  else compareDirections(flat, step, seed, directions, tally);
  const { elements, worst, mismatches, undecided } = tally;
  const isWrong = mismatches.length + undecided.length > 0 && options.blame !== false;
  const culprit = isWrong ? blame(flat, tolerance, seed) : undefined;
  const report = new GradientReport({
    mode,
    elements,
    worst,
    mismatches,
    undecided,
    blame: culprit,
  });
  if (options.throws === true) report.assert();
  return report;
}

/** Where a derivative stands. */
type Where = Pick<GradientMismatch, "path" | "index" | "output" | "outputIndex"> & {
  readonly words: string;
};

class Tally {
  readonly tolerance: number;
  readonly mismatches: GradientMismatch[] = [];
  readonly undecided: GradientMismatch[] = [];
  elements = 0;
  worst = 0;

  constructor(tolerance: number) {
    this.tolerance = tolerance;
  }

  add(analytic: number, numeric: number, uncertainty: number, where: () => Where): void {
    this.elements++;
    const scale = Math.max(1, Math.abs(analytic), Math.abs(numeric));
    const error = Math.abs(analytic - numeric) / scale;
    const isDecided = uncertainty <= this.tolerance * Math.max(1, Math.abs(numeric));
    if (isDecided) this.worst = Math.max(this.worst, Number.isNaN(error) ? Infinity : error);
    if (isDecided && error <= this.tolerance) return;
    const { words, ...place } = where();
    const message = `${words}: analytic ${analytic}, numeric ${numeric} (+- ${uncertainty.toExponential(0)})${isDecided ? `, relative error ${error.toExponential(1)}` : ""}`;
    const element = { ...place, analytic, numeric, uncertainty, message };
    (isDecided ? this.mismatches : this.undecided).push(element);
  }
}

function distance({ analytic, numeric }: GradientMismatch): number {
  const error = Math.abs(analytic - numeric);
  return Number.isNaN(error) ? Infinity : error;
}

function nameOf(path: string, what: string): string {
  return path === "" ? what : `"${path}"`;
}

function compareJacobian<T>(flat: Flattened<T>, step: number, seed: number, tally: Tally): void {
  const { x, inputParts, outputParts, outputs } = flat;
  // Unit cotangents of random lengths, so that a rule which forgets its cotangent shows.
  const lengths = randomVector(outputs, seed).map((value) => value + Math.sign(value));
  const rows = flat.pulled((pullback) =>
    Array.from({ length: outputs }, (_, row) => {
      const unit = new Float64Array(outputs);
      unit[row] = lengths[row]!;
      return pullback(unit);
    }),
  );
  for (let column = 0; column < x.length; column++) {
    const h = step * Math.max(1, Math.abs(x[column]!));
    const { values, uncertainties } = flat.along((i) => (i === column ? 1 : 0), h);
    for (let row = 0; row < outputs; row++) {
      const analytic = rows[row]![column]! / lengths[row]!;
      tally.add(analytic, values[row]!, uncertainties[row]!, () => {
        const input = partAt(inputParts, column);
        const output = partAt(outputParts, row);
        const [index, outputIndex] = [column - input.start, row - output.start];
        const words = `${nameOf(output.path, "output")}${indexOf(outputIndex, output.shape)} by ${nameOf(input.path, "input")}${indexOf(index, input.shape)}`;
        return { path: input.path, index, output: output.path, outputIndex, words };
      });
    }
  }
}

function compareDirections<T>(
  flat: Flattened<T>,
  step: number,
  seed: number,
  directions: number,
  tally: Tally,
): void {
  const { x, outputParts, outputs } = flat;
  for (let k = 0; k < directions; k++) {
    const v = randomVector(x.length, seed + 2 * k);
    const u = randomVector(outputs, seed + 2 * k + 1);
    const { values, uncertainties } = flat.along((i) => v[i]!, step);
    const path = `(direction ${k + 1})`;
    const at = { path, index: -1 };
    const tangents = flat.pushed(v);
    let numeric = 0;
    let uncertainty = 0;
    for (let row = 0; row < outputs; row++) {
      numeric += u[row]! * values[row]!;
      uncertainty += Math.abs(u[row]!) * uncertainties[row]!;
      if (tangents === undefined) continue;
      tally.add(tangents[row]!, values[row]!, uncertainties[row]!, () => {
        const output = partAt(outputParts, row);
        const outputIndex = row - output.start;
        const words = `${nameOf(output.path, "output")}${indexOf(outputIndex, output.shape)} along random direction ${k + 1}, forward mode`;
        return { ...at, output: output.path, outputIndex, words };
      });
    }
    const g = flat.pulled((pullback) => pullback(u));
    const analytic = g.reduce((sum, value, i) => sum + value * v[i]!, 0);
    tally.add(analytic, numeric, uncertainty, () => {
      const words = `a random cotangent along random direction ${k + 1}, reverse mode`;
      return { ...at, output: "(cotangent)", outputIndex: -1, words };
    });
  }
}
