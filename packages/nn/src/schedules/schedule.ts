import { isTensor, scope, Tensor, tensor } from "@chronograd/autodiff";
import { describeTensor, NotTraceable } from "@chronograd/autodiff/internal";
import { shown } from "../checks.ts";

/**
 * A learning rate as a function of the number of updates done: `rate(0)` is that of the first
 * update. A number gives a number. A scalar tensor gives a float64 scalar, by the same formula, so
 * a step that is compiled moves on in its schedule. `schedule` makes one from a formula in ops.
 */
export interface Schedule {
  (step: number): number;
  (step: Tensor): Tensor;
  /** The rate of a step, both float64 scalars. @internal */
  readonly formula: (step: Tensor) => Tensor;
}

/**
 * What an optimizer takes for a learning rate; a function of plain numbers works wherever nothing
 * is compiled.
 */
export type LearningRate = number | Schedule | ((step: number) => number);

/**
 * A schedule from a formula in ops, of a float64 scalar.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { schedule } from "@chronograd/nn";
 *
 * const rate = schedule((step) => step.add(1).reciprocal().mul(0.1));
 * rate(3); // => 0.025
 * rate(tensor(3, { dtype: "int32" })).item(); // => 0.025
 * ```
 */
export function schedule(formula: (step: Tensor) => Tensor): Schedule {
  if (typeof formula !== "function") {
    throw new TypeError(
      `schedule: expected a function of the step, a float64 scalar, got ${shown(formula)}`,
    );
  }
  const rate = (step: unknown): unknown => {
    if (step instanceof Tensor) return formula(step.cast("float64"));
    if (typeof step !== "number") {
      throw new TypeError(`schedule: the step must be a number or a scalar, got ${shown(step)}`);
    }
    return scope(() => formula(tensor(step, { dtype: "float64" })).item());
  };
  return Object.assign(rate, { formula }) as Schedule;
}

/**
 * A rate as a formula in ops: also that of a function of plain numbers, which cannot be
 * compiled. @internal
 */
export function formulaOf(rate: LearningRate, where: string): (step: Tensor) => Tensor {
  if (typeof rate === "number") return (step) => step.mul(0).add(rate);
  if ("formula" in rate) return rate.formula;
  return (step) => {
    const { backend } = step;
    if (backend.parent === null) return tensor(rate(step.item()), { dtype: "float64", backend });
    throw new NotTraceable(
      `${where}: the learning rate is a function of plain numbers, which a plan would ask once; write it with ops, as in schedule((step) => step.add(1).reciprocal().mul(0.1))`,
    );
  };
}

/**
 * The rate after `step` updates, an int32 scalar: a number, or, where it depends on what is traced
 * or tracked, a float64 scalar. Throws a sentence unless it is finite and at least 0. @internal
 */
export function rateAt(rate: LearningRate, step: Tensor, where: string): Tensor | number {
  if (typeof rate === "number") return rate;
  const from = step.cast("float64");
  if (from.backend.parent !== null || from.tape !== null) {
    const found = float64Scalar(formulaOf(rate, where)(from), where);
    if (found.tape === null) found.backend.isFinite(found.sqrt());
    return found;
  }
  // What a formula closes over may be tracked, though the step is not.
  const found =
    "formula" in rate
      ? scope(() => {
          const scalar = rate.formula(from);
          return scalar.tape === null ? scalar.item() : float64Scalar(scalar, where);
        })
      : rate(from.item());
  const value = isTensor(found) ? found.item() : found;
  if (Number.isFinite(value) && value >= 0) return found;
  throw new RangeError(
    `${where}: the schedule gave a learning rate of ${shown(value)} at step ${from.item()}, expected a finite number of at least 0`,
  );
}

function float64Scalar(found: Tensor, where: string): Tensor {
  if (isTensor(found) && found.size === 1 && found.dtype === "float64") return found;
  throw new TypeError(
    `${where}: the schedule must give a float64 scalar for a step that is one, got ${isTensor(found) ? describeTensor(found) : shown(found)}`,
  );
}

/** Throws a sentence unless the learning rate is a number of at least 0 or a schedule. @internal */
export function checkLearningRate(rate: LearningRate, where: string): void {
  if (typeof rate === "function") return;
  if (typeof rate === "number" && Number.isFinite(rate) && rate >= 0) return;
  throw new RangeError(
    `${where}: learningRate must be a finite number of at least 0 or a schedule, got ${shown(rate)}`,
  );
}
