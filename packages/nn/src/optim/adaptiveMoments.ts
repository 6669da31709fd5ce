import type { FloatKernels } from "@chronograd/autodiff/extend";
import type { Schedule } from "../schedules/schedule.ts";
import { checkOption, type Update } from "./rule.ts";

/** Options that `adam` and `adamW` share. */
export interface AdamOptions {
  /** 0.001 unless given. */
  readonly learningRate?: number | Schedule;
  /** How slowly the average gradient `m` forgets; 0.9 unless given. */
  readonly beta1?: number;
  /** How slowly the average of squares `v` forgets; 0.999 unless given. */
  readonly beta2?: number;
  /** Added to the root; 1e-8 unless given. */
  readonly epsilon?: number;
  /** How strongly weights are drawn to 0; see `adam` (0 unless given) and `adamW` (0.01 unless given). */
  readonly weightDecay?: number;
  /** Divides by the largest `v` so far (Reddi, Kale & Kumar 2018); false unless given. */
  readonly amsgrad?: boolean;
}

/** What the two remember: `largest` only with `amsgrad`. */
export type AdamMoment = "m" | "v" | "largest";

/** Averages of the gradient and of its square, and the step that they give, both corrected for starting at 0. */
export class AdaptiveMoments {
  readonly names: readonly AdamMoment[];
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  readonly #amsgrad: boolean;

  /** Throws a sentence for an option out of range. */
  constructor(
    { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, amsgrad = false }: AdamOptions,
    where: string,
  ) {
    checkOption(beta1, "beta1", where, 0, 1);
    checkOption(beta2, "beta2", where, 0, 1);
    checkOption(epsilon, "epsilon", where);
    this.names = amsgrad ? ["m", "v", "largest"] : ["m", "v"];
    this.#beta1 = beta1;
    this.#beta2 = beta2;
    this.#epsilon = epsilon;
    this.#amsgrad = amsgrad;
  }

  /**
   * Writes `next = shrink w - rate mhat / (sqrt(vhat) + epsilon)`, with the gradient, and `decay w`, taken into the
   * averages.
   */
  advance(
    kernels: FloatKernels,
    { n, w, g, m, v, largest = 0, next }: Update<AdamMoment>,
    { decay, shrink }: { readonly decay: number; readonly shrink: number },
    rate: number,
    t: number,
  ): void {
    kernels.adam(
      n,
      w,
      g,
      m,
      v,
      largest,
      decay,
      shrink,
      this.#beta1,
      1 - this.#beta1,
      this.#beta2,
      1 - this.#beta2,
      this.#amsgrad ? 1 : 0,
      1 / Math.sqrt(1 - this.#beta2 ** t),
      this.#epsilon,
      -rate / (1 - this.#beta1 ** t),
      next,
    );
  }
}
