import { checkOptions } from "@chronograd/autodiff/internal";
import { textOf } from "../checkDefinition.ts";
import type { JacobianSpectrum } from "./jacobianSpectrum.ts";
import type { LyapunovSpectrum } from "./lyapunovSpectrum.ts";

/** How `verdict` decides. */
export interface VerdictOptions {
  /**
   * Over how many steps a gradient has to keep its size up to a factor e: exponents nearer to 0
   * than `1 / horizon` are as good as 0; 100 unless given.
   */
  readonly horizon?: number;
  /** The spectra of the step's Jacobians, whose norms bound the growth of any gradient. */
  readonly jacobians?: JacobianSpectrum;
}

/** What becomes of gradients far back, with the numbers that decide it. */
export interface Verdict {
  readonly verdict: "vanishing" | "stable" | "exploding";
  /** The largest Lyapunov exponent: the growth per step of a typical gradient, as a logarithm. */
  readonly exponent: number;
  /** Its standard error. */
  readonly error: number;
  readonly horizon: number;
  /** By which factor a gradient grows over the horizon: `exp(horizon * exponent)`. */
  readonly factor: number;
  /** The mean and the largest spectral norm of the step's Jacobian, where they were given. */
  readonly norm?: { readonly mean: number; readonly largest: number };
  /** All of it in a sentence. */
  readonly text: string;
}

/**
 * Whether gradients vanish, explode, or stay of their size over a horizon: the largest Lyapunov
 * exponent against 0. It is called vanishing or exploding where it differs from 0 by more than `1 /
 * horizon` and by more than two standard errors. Where all spectral norms stay below a bound that
 * is less than 1, every gradient vanishes, whatever its direction (Pascanu, Mikolov & Bengio 2013).
 *
 * @param spectrum also one that was JSON, in which an exponent of -Infinity is null
 * @throws for a horizon that is not a positive number, and spectra that are none
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@chronograd/autodiff";
 * import { init } from "@chronograd/nn";
 * import { defineCell } from "@chronograd/rnn";
 * import { lyapunovSpectrum, verdict } from "@chronograd/rnn/flow";
 *
 * const decay = defineCell({
 *   params: () => ({ a: init.constant(0.5) }),
 *   state: () => ({ h: init.zeros(1) }),
 *   step: ({ a }, x, { h }) => {
 *     const next = h.mul(a).add(x);
 *     return [next, { h: next }];
 *   },
 * })({ input: 1, hidden: 1 });
 * const spectrum = lyapunovSpectrum(decay, { a: tensor(0.5) }, { inputs: zeros([50, 1, 1]) });
 * verdict(spectrum).verdict; // => "vanishing"
 * ```
 */
export function verdict(spectrum: LyapunovSpectrum, options: VerdictOptions = {}): Verdict {
  checkOptions("verdict", options, ["horizon", "jacobians"]);
  const { horizon = 100, jacobians } = options;
  if (!(typeof horizon === "number" && horizon > 0 && horizon < Infinity)) {
    throw new RangeError(
      `verdict: horizon must be a positive number of steps, got ${textOf(horizon)}; 100 asks for gradients that live that long`,
    );
  }
  const { exponent, error } = largestOf(spectrum);
  const isCertain = Math.abs(exponent) > Math.max(1 / horizon, 2 * error);
  const kind = !isCertain ? "stable" : exponent < 0 ? "vanishing" : "exploding";
  const factor = Math.exp(horizon * exponent);
  const norms = jacobians === undefined ? undefined : normsOf(jacobians);
  const norm = norms && {
    mean: norms.reduce((sum, each) => sum + each, 0) / norms.length,
    largest: Math.max(...norms),
  };
  const bound = norm
    ? `; the spectral norm of a step is ${norm.mean.toPrecision(3)} in the mean, ${norm.largest.toPrecision(3)} at most`
    : "";
  const text = `${kind}: the largest Lyapunov exponent is ${exponent.toPrecision(3)} with a standard error of ${error.toPrecision(2)}, so over ${horizon} steps a gradient changes by a factor of ${factor.toPrecision(3)}${bound}`;
  return { verdict: kind, exponent, error, horizon, factor, ...(norm && { norm }), text };
}

/** The largest exponent of a spectrum, and its error. */
function largestOf(spectrum: unknown): Pick<Verdict, "exponent" | "error"> {
  const { exponents, errors } = Object(spectrum) as Partial<LyapunovSpectrum>;
  if (!Array.isArray(exponents) || !Array.isArray(errors) || exponents.length === 0) {
    throw new TypeError(
      `verdict: the spectrum must be what lyapunovSpectrum gave, with exponents and errors, got ${textOf(spectrum)}`,
    );
  }
  const exponent: unknown = exponents[0] === null ? -Infinity : exponents[0];
  const error: unknown = errors[0];
  if (typeof exponent === "number" && !Number.isNaN(exponent) && (error as number) >= 0) {
    return { exponent, error: error as number };
  }
  throw new RangeError(
    `verdict: the largest exponent is ${textOf(exponent)} with the error ${textOf(error)}, which says nothing; give the spectrum of a model whose derivatives are finite`,
  );
}

/** The spectral norms of steps. */
function normsOf(jacobians: unknown): number[] {
  const { steps } = Object(jacobians) as Partial<JacobianSpectrum>;
  const norms: unknown[] = Array.isArray(steps) ? steps.map((step) => Object(step).norm) : [];
  if (norms.length > 0 && norms.every(Number.isFinite)) return norms as number[];
  throw new TypeError(
    `verdict: jacobians must be what jacobianSpectrum gave, steps with a norm each, got ${textOf(jacobians)}`,
  );
}
