import type { Schedule } from "../schedules/schedule.ts";
import { checkOption, type Stretch } from "./rule.ts";
import type { Vectors } from "./vectors.ts";

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

  /** Writes `next = from - rate mhat / (sqrt(vhat) + epsilon)`, with `gradient` taken into the averages. */
  advance(
    vectors: Vectors,
    { m, v, largest, next, s }: Stretch<AdamMoment>,
    gradient: number,
    from: number,
    rate: number,
    t: number,
  ): void {
    vectors.track(m, this.#beta1, gradient, s);
    vectors.square(gradient, s);
    vectors.track(v, this.#beta2, s, s);
    if (this.#amsgrad) vectors.maximum(largest, v, largest);
    vectors.sqrt(this.#amsgrad ? largest : v, s);
    vectors.scale(s, 1 / Math.sqrt(1 - this.#beta2 ** t), s);
    vectors.offset(s, this.#epsilon, s);
    vectors.div(m, s, s);
    vectors.scale(s, -rate / (1 - this.#beta1 ** t), s);
    vectors.add(from, s, next);
  }
}
