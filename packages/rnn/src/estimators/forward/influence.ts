import type { Backend, FloatDType, Tensor } from "@chronograd/autodiff";
import type { Values } from "../../cell.ts";
import type { StepInput, Transition } from "../../derivatives/transition.ts";

/** A step of any model, with its derivatives. */
export type AnyTransition = Pick<
  Transition<unknown, unknown, unknown, unknown>,
  "rows" | "size" | "before" | "push" | "pull" | "jacobian" | "pullParams"
>;

/** A model at the first step of its stream. */
export interface Model {
  /** The public function, whose errors are said to be. */
  readonly where: string;
  readonly params: Values<unknown>;
  readonly state: Values<unknown>;
  readonly step: StepInput<unknown>;
  /** Whether parameters decide the initial state. */
  readonly initial: boolean;
  /** B. */
  readonly rows: number;
  /** H. */
  readonly size: number;
  /** P. */
  readonly parameters: number;
  /** Where its numbers live. */
  readonly like: { readonly dtype: FloatDType; readonly backend: Backend };
  /** Bytes of one of them. */
  readonly numberBytes: number;
  /** Throws a sentence for more bytes than are allowed. */
  allow(bytes: number, what: string): void;
  /** The step from other values. */
  transition(
    params: Values<unknown>,
    step: StepInput<unknown>,
    state: Values<unknown>,
  ): AnyTransition;
}

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
