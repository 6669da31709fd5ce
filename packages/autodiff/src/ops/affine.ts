import { apply } from "./apply.ts";
import { type Operand, op } from "./declare.ts";
import { type ScaledOp, scaled } from "./unary.ts";

// What `mul` and `add` are where one operand is a number.

const scaleDeclaration = scaled({
  name: "scale",
  derivative: (d, _x, _y, alpha) => scale(d, alpha),
  residuals: "",
});

/** `alpha x`. */
export const scale: ScaledOp = op(scaleDeclaration, (x: Operand, alpha: number) =>
  apply(scaleDeclaration, [x], alpha),
);

const offsetDeclaration = scaled({ name: "offset", derivative: (d) => d, residuals: "" });

/** `x + alpha`. */
export const offset: ScaledOp = op(offsetDeclaration, (x: Operand, alpha: number) =>
  apply(offsetDeclaration, [x], alpha),
);
