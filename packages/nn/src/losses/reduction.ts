import type { Tensor } from "@chronograd/autodiff";

/**
 * What becomes of a loss per element: their `"mean"` (the default everywhere), their `"sum"`, or
 * `"none"`: the losses themselves.
 */
export type Reduction = "mean" | "sum" | "none";

/** The option that every loss has. */
export interface ReductionOption {
  /** `"mean"` unless given. */
  readonly reduction?: Reduction;
}

/** Reduces losses; `count` is how many of them the mean is over, all unless given. @internal */
export function reduce(
  losses: Tensor,
  reduction: Reduction,
  where: string,
  count?: () => number | Tensor,
): Tensor {
  switch (reduction) {
    case "none":
      return losses;
    case "sum":
      return losses.sum();
    case "mean":
      return count === undefined ? losses.mean() : losses.sum().mul(oneOver(count()));
    default:
      throw new TypeError(
        `${where}: reduction must be "mean", "sum" or "none", got ${JSON.stringify(reduction)}`,
      );
  }
}

/** `1 / max(1, count)`. */
function oneOver(count: number | Tensor): number | Tensor {
  return typeof count === "number" ? 1 / Math.max(1, count) : count.maximum(1).reciprocal();
}

/**
 * Throws a sentence unless predictions and targets have one shape: they are not
 * broadcast. @internal
 */
export function checkSameShape(
  predictions: Tensor,
  targets: Tensor,
  where: string,
  name = "predictions",
): void {
  const a = predictions.shape;
  const b = targets.shape;
  if (a.length === b.length && a.every((length, axis) => length === b[axis])) return;
  throw new RangeError(
    `${where}: ${name} and targets must have one shape, got [${a.join(",")}] and [${b.join(",")}]; reshape or broadcastTo one of them`,
  );
}
