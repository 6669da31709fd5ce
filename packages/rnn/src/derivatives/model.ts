import type { Backend, FloatDType } from "@chronograd/autodiff";
import type { Values } from "../cell.ts";
import type { StepInput, Transition } from "./transition.ts";

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
