import type { Tensor } from "../tensor/tensor.ts";
import { type BinaryOp, binary, simple } from "./binary.ts";
import { equal, less } from "./compare.ts";
import type { JvpRule } from "./declare.ts";
import { notedFactor, noteFactor } from "./lengths.ts";
import { where } from "./select.ts";

/**
 * `sqrt(a^2 + b^2)` times a power of two that keeps it within the range, and that power; 1 and 0 at
 * the origin, so that quotients and their derivatives are 0 there.
 */
function scaledLength(a: Tensor, b: Tensor): [length: Tensor, power: Tensor] {
  const size = a.abs().maximum(b.abs());
  const isZero = equal(size, 0);
  const raised = less(size, 2 ** -64).mul(2 ** 64);
  const power = where(isZero, 0, raised.maximum(less(size, 1)).maximum(2 ** -2));
  return [where(isZero, 1, a.mul(power).hypot(b.mul(power))), power];
}

/** `d a / (a^2 + b^2)`, 0 at the origin. */
function overSquare(d: Tensor, a: Tensor, b: Tensor): Tensor {
  const [length, power] = scaledLength(a, b);
  return d.mul(a.mul(power).div(length)).mul(power).div(length);
}

/** `d a / sqrt(a^2 + b^2)`, 0 at the origin. */
function overLength(d: Tensor, a: Tensor, b: Tensor): Tensor {
  const [length, power] = scaledLength(a, b);
  return d.mul(a.mul(power).div(length));
}

/**
 * The angle of the point (`b`, `a`) in radians, from -pi to pi; its derivatives at the origin are
 * taken as 0.
 *
 * @example
 * ```ts
 * import { atan2, tensor } from "@chronograd/autodiff";
 *
 * const angle = atan2(tensor([1, 0]), tensor([0, -1]));
 * angle.mul(180 / Math.PI).round().toArray(); // => [90, 180]
 * ```
 */
export const atan2: BinaryOp = simple(
  binary({
    name: "atan2",
    partials: [(d, a, b) => overSquare(d, b, a), (d, a, b) => overSquare(d, a, b).neg()],
    residuals: "ab",
    domains: [[0.3, 2], undefined],
  }),
);

const hypotDeclaration = binary({
  name: "hypot",
  partials: [
    (d, a, b, y) => notedFactor(y, d)?.mul(a).mul(2) ?? overLength(d, a, b),
    (d, a, b, y) => notedFactor(y, d)?.mul(b).mul(2) ?? overLength(d, b, a),
  ],
  residuals: "ab",
  domains: [[0.3, 2], undefined],
});
const hypotJvp = hypotDeclaration.jvp as JvpRule<unknown>;

/**
 * `sqrt(a^2 + b^2)` without undue overflow; its derivative at the origin is taken as 0.
 *
 * @example
 * ```ts
 * import { hypot, tensor } from "@chronograd/autodiff";
 *
 * hypot(tensor([3, 5]), tensor([4, 12])).toArray(); // => [5, 13]
 * ```
 */
export const hypot: BinaryOp = simple({
  ...hypotDeclaration,
  jvp([da, db], application) {
    const { inputs, output } = application;
    const [a, b] = inputs as [Tensor, Tensor];
    return noteFactor(output, hypotJvp([da!, db!], application), () => {
      if (da && db) return da.mul(a).add(db.mul(b));
      return da ? da.mul(a) : db!.mul(b);
    });
  },
});
