import type { Tensor } from "@chronograd/autodiff";
import type { AnyTransition } from "../../derivatives/model.ts";

/**
 * What a forward estimator knows of `S_t = dh_t/dtheta`, `[B, H, P]`, and carries from step to step
 * as a tree of tensors: `S_t = J_t S_{t-1} + I_t`, with `J_t = dh_t/dh_{t-1}` and `I_t` the
 * derivative of `h_t` by the parameters of step t alone. Estimators differ in what they keep of it.
 */
export interface Influence<Carried> {
  /** How many random signs a step needs. */
  readonly signs: number;
  /** Bytes that a step needs at most. */
  readonly bytes: number;
  /** How it is made, in words. */
  readonly description: string;
  /** S_0 = 0. */
  start(): Carried;
  /** `lambda S`, summed over the rows: `[B, H]` to `[P]`. */
  credit(carried: Carried, cotangent: Tensor): Tensor;
  /** S_t from S_{t-1}. */
  next(carried: Carried, transition: AnyTransition, signs: Tensor | undefined): Carried;
  /** Throws a sentence if what was assumed of the model is not so at a step. */
  check?(transition: AnyTransition, t: number): void;
}
