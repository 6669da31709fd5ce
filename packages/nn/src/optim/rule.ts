import type { Tensor } from "@chronograd/autodiff";
import type { FloatKernels } from "@chronograd/autodiff/extend";
import type { LearningRate } from "../schedules/schedule.ts";

/** What a rule's kernel is told: elements and addresses. */
export type Addresses<Moment extends string = string> = {
  /** Elements of the parameter. */
  readonly n: number;
  /** The parameter. Read only. */
  readonly w: number;
  /** Its gradient. Read only. */
  readonly g: number;
  /** The number of this update, counted from 1, as an int32. */
  readonly t: number;
  /** The learning rate is `factor`, times the float64 here unless the address is 0. */
  readonly rate: number;
  readonly factor: number;
  /** Where the update goes. */
  readonly update: number;
} & { readonly [Name in Moment]: number };

/** What a rule is told where it is written with ops. */
export type Values<Moment extends string = string> = {
  readonly w: Tensor;
  readonly g: Tensor;
  /** The number of this update, counted from 1, as a float64 scalar. */
  readonly t: Tensor;
  /** A scalar of the parameter's dtype, or a number. */
  readonly rate: Tensor | number;
} & { readonly [Name in Moment]: Tensor };

/** What distinguishes one optimizer from another: how a parameter moves, element by element. */
export interface Rule<Moment extends string = string> {
  readonly name: string;
  readonly learningRate: LearningRate;
  /**
   * Names of what is remembered for each parameter, of its shape and dtype; any other has the
   * address 0.
   */
  readonly moments: readonly Moment[];
  /** What the moments start from; 0 unless given. */
  readonly start?: number;
  /** Writes `update`, and the moments in place. */
  fused(kernels: FloatKernels, at: Addresses<Moment>): void;
  /** The same in ops: the update and the next moments. */
  plain(x: Values<Moment>): { readonly update: Tensor } & { readonly [Name in Moment]?: Tensor };
}

/** `g`, or `decay w + g`. */
export function decayed(w: Tensor, g: Tensor, decay: number): Tensor {
  return decay === 0 ? g : w.mul(decay).add(g);
}

/** Nothing divides by 0: an epsilon of 0 is the smallest number above it. */
export function positive(epsilon: number, { dtype }: Tensor): number {
  return Math.max(epsilon, dtype === "float32" ? 2 ** -149 : Number.MIN_VALUE);
}
