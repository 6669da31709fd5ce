import { apply } from "./apply.ts";
import { type Operand, op } from "./declare.ts";
import { type ScaledOp, scaled } from "./unary.ts";

// What `mul` and `add` apply where one operand is a number, under their names.

const scaleDeclaration = scaled({
  name: "mul",
  kernel: "scale",
  derivative: (d, _x, _y, alpha) => scale(d, alpha),
  residuals: "",
});

/** `alpha x`. */
export const scale: ScaledOp = op(scaleDeclaration, (x: Operand, alpha: number) =>
  apply(scaleDeclaration, [x], alpha),
);

const offsetDeclaration = scaled({
  name: "add",
  kernel: "offset",
  derivative: (d) => d,
  residuals: "",
});

/** `x + alpha`. */
export const offset: ScaledOp = op(offsetDeclaration, (x: Operand, alpha: number) =>
  apply(offsetDeclaration, [x], alpha),
);
