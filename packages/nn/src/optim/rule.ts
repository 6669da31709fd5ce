import type { FloatKernels } from "@chronograd/autodiff/extend";
import type { Schedule } from "../schedules/schedule.ts";

/** Addresses of one parameter and of what belongs to it. */
export type Update<Moment extends string = string> = {
  /** Elements of the parameter. */
  readonly n: number;
  /** The parameter. Read only. */
  readonly w: number;
  /** Its gradient. Read only. */
  readonly g: number;
  /** Where the next value of the parameter goes. */
  readonly next: number;
} & { readonly [Name in Moment]: number };

/** What distinguishes one optimizer from another: how a parameter moves, element by element. */
export interface Rule<Moment extends string = string> {
  readonly name: string;
  readonly learningRate: number | Schedule;
  /** Names of what is remembered for each parameter, of its shape and dtype; any other has the address 0. */
  readonly moments: readonly Moment[];
  /** What the moments start from; 0 unless given. */
  readonly start?: number;
  /** Writes `next` and the moments, in place, in update number `t`, counted from 1. */
  advance(kernels: FloatKernels, update: Update<Moment>, rate: number, t: number): void;
}

/** Throws a sentence unless an option is a finite number from `low` to (but not) `high`. @internal */
export function checkOption(
  value: number,
  name: string,
  where: string,
  low = 0,
  high: number = Number.POSITIVE_INFINITY,
): void {
  if (Number.isFinite(value) && value >= low && value < high) return;
  const range = high === Number.POSITIVE_INFINITY ? "" : ` and below ${high}`;
  throw new RangeError(
    `${where}: ${name} must be a finite number of at least ${low}${range}, got ${String(value)}`,
  );
}

/** Throws a sentence unless the learning rate is a number of at least 0 or a schedule. @internal */
export function checkLearningRate(rate: number | Schedule, where: string): void {
  if (typeof rate === "function") return;
  if (typeof rate === "number" && Number.isFinite(rate) && rate >= 0) return;
  throw new RangeError(
    `${where}: learningRate must be a finite number of at least 0 or a schedule, got ${String(rate)}`,
  );
}
