import type { ScaledName, UnaryName } from "../kernels/elementwise.ts";
import { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import {
  type Examples,
  isNone,
  type NoRule,
  none,
  type Op,
  type OpDeclaration,
  type Operand,
  op,
} from "./declare.ts";
import { kernelsOf } from "./kernels.ts";

/** A function of one tensor, element by element. */
export type UnaryOp = Op<(x: Operand) => Tensor>;

/**
 * The derivative of an element-wise function as a product: `d * f'(x)`, given `x` and `y = f(x)`.
 * The Jacobian is diagonal, so the same line serves cotangents and tangents.
 */
export type DerivativeRule = (d: Tensor, x: Tensor, y: Tensor) => Tensor;

export interface UnaryDeclaration extends Partial<Pick<Examples, "kinks">> {
  readonly name: UnaryName;
  readonly derivative: DerivativeRule | NoRule;
  /** Which of `x` and `y` the derivative reads. */
  readonly residuals: "x" | "y" | "xy" | "";
  /** Where test inputs lie. */
  readonly domain?: readonly [number, number];
  /** The function of int32, by ops that have kernels for it; without it, int32 is refused. */
  readonly ofInt32?: (x: Tensor) => Tensor;
}

export function unary({
  name,
  derivative,
  residuals,
  domain = [-2, 2],
  kinks = [],
  ofInt32,
}: UnaryDeclaration): UnaryOp {
  const declaration: OpDeclaration = {
    name,
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    forward(backend, [x], y) {
      kernelsOf(backend, y)[name](y.size, x!.pointer, y.pointer);
    },
    residuals: { inputs: residuals.includes("x") ? [0] : [], output: residuals.includes("y") },
    vjp: isNone(derivative)
      ? derivative
      : [(g, { inputs, output }) => derivative(g, inputs[0]!, output)],
    jvp: isNone(derivative)
      ? derivative
      : ([dx], { inputs, output }) => derivative(dx!, inputs[0]!, output),
    samples: [[3], [2, 3], [], [0]].map((shape) => ({
      label: `[${shape.join(",")}]`,
      inputs: [{ shape, domain }],
      call: ([x]) => apply(declaration, [x!], undefined),
    })),
    kinks,
  };
  if (ofInt32 === undefined) {
    return op(declaration, (x: Operand) => apply(declaration, [x], undefined));
  }
  return op(declaration, (x: Operand) =>
    x instanceof Tensor && x.dtype === "int32" ? ofInt32(x) : apply(declaration, [x], undefined),
  );
}

export const piecewiseConstant: NoRule = none("piecewise constant: nothing flows through");

/** A function of one tensor and a number. */
export type ScaledOp = Op<(x: Operand, alpha: number) => Tensor>;

export interface ScaledDeclaration extends Partial<Pick<Examples, "kinks">> {
  readonly name: string;
  readonly kernel: ScaledName;
  readonly derivative: (d: Tensor, x: Tensor, y: Tensor, alpha: number) => Tensor;
  readonly residuals: "x" | "xy" | "";
}

export function scaled({
  name,
  kernel,
  derivative,
  residuals,
  kinks = [],
}: ScaledDeclaration): OpDeclaration<number> {
  const declaration: OpDeclaration<number> = {
    name,
    inputs: ["x"],
    shape: ([x], alpha) => {
      if (typeof alpha === "number") return x!.shape;
      throw new TypeError(`${name}: expected a number beside x, got ${String(alpha)}`);
    },
    forward(backend, [x], y, alpha) {
      kernelsOf(backend, y)[kernel](y.size, x!.pointer, y.pointer, alpha);
    },
    residuals: { inputs: residuals.includes("x") ? [0] : [], output: residuals.includes("y") },
    vjp: [(g, { inputs, output, attributes }) => derivative(g, inputs[0]!, output, attributes)],
    jvp: ([dx], { inputs, output, attributes }) => derivative(dx!, inputs[0]!, output, attributes),
    samples: [[3], [2, 3], [0]].map((shape) => ({
      label: `[${shape.join(",")}]`,
      inputs: [{ shape }],
      call: ([x]) => apply(declaration, [x!], 0.3),
    })),
    kinks,
  };
  return declaration;
}
