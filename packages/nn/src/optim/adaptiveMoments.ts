import { hypot, type Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkNumber } from "../checks.ts";
import type { LearningRate } from "../schedules/schedule.ts";
import { fromRule, type RuleState } from "./fromRule.ts";
import { decayed, positive } from "./rule.ts";
import type { GradientTransformation } from "./transformation.ts";

/** Options that `adam` and `adamW` share. */
export interface AdamOptions {
  /** 0.001 unless given. */
  readonly learningRate?: LearningRate;
  /** How slowly the average gradient `m` forgets; 0.9 unless given. */
  readonly beta1?: number;
  /** How slowly the average of squares `v` forgets; 0.999 unless given. */
  readonly beta2?: number;
  /** Added to the root; 1e-8 unless given. */
  readonly epsilon?: number;
  /**
   * How strongly weights are drawn to 0; see `adam` (0 unless given) and `adamW` (0.01 unless
   * given).
   */
  readonly weightDecay?: number;
  /** Divides by the largest `v` so far (Reddi, Kale & Kumar 2018); false unless given. */
  readonly amsgrad?: boolean;
}

/**
 * Averages: `rms` is `sqrt(v)`, so that no square overflows; `largest` is its largest so far, with
 * `amsgrad` only.
 */
export type AdamState = RuleState<"m" | "rms"> & Partial<Pick<RuleState<"largest">, "largest">>;

const known = ["learningRate", "beta1", "beta2", "epsilon", "weightDecay", "amsgrad"];

/** Adam with weight decay in the gradient (`decay`) or beside it (`drift`). */
export function adaptiveMoments(
  name: string,
  options: AdamOptions,
  { decay, drift }: { readonly decay: number; readonly drift: number },
): GradientTransformation<AdamState> {
  checkOptions(name, options, known);
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999 } = options;
  const { epsilon = 1e-8, amsgrad = false } = options;
  checkNumber(decay + drift, "weightDecay", name);
  checkNumber(beta1, "beta1", name, 0, 1);
  checkNumber(beta2, "beta2", name, 0, 1);
  checkNumber(epsilon, "epsilon", name);
  return fromRule<"m" | "rms" | "largest">({
    name,
    learningRate,
    moments: amsgrad ? ["m", "rms", "largest"] : ["m", "rms"],
    fused(kernels, { n, w, g, m, rms, largest = 0, t, rate, factor, update }) {
      const max = amsgrad ? 1 : 0;
      kernels.adam(
        n,
        w,
        g,
        m,
        rms,
        largest,
        t,
        rate,
        factor,
        decay,
        drift,
        beta1,
        beta2,
        max,
        epsilon,
        update,
      );
    },
    plain({ w, g, t, rate, ...before }) {
      const d = decayed(w, g, decay);
      const m = before.m.mul(beta1).add(d.mul(1 - beta1));
      const rms = hypot(before.rms.mul(Math.sqrt(beta2)), d.mul(Math.sqrt(1 - beta2)));
      const largest = amsgrad ? before.largest.maximum(rms) : rms;
      const size = largest.div(corrected(beta2, t).sqrt().cast(w.dtype));
      const quotient = m.div(size.add(positive(epsilon, w))).div(corrected(beta1, t).cast(w.dtype));
      const update = quotient.add(w.mul(drift)).mul(rate).neg();
      return { update, m, rms, ...(amsgrad && { largest }) };
    },
  }) as GradientTransformation<AdamState>;
}

/** `1 - beta^t`, by which an average that starts at 0 is too small. */
function corrected(beta: number, t: Tensor): Tensor {
  return t.mul(0).add(beta).pow(t).neg().add(1);
}
