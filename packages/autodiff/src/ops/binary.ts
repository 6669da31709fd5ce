import type { BinaryName } from "../kernels/elementwise.ts";
import { sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { broadcasting } from "./broadcast.ts";
import {
  type AccumulateRule,
  type InputSpec,
  type Op,
  type OpDeclaration,
  type Operand,
  op,
} from "./declare.ts";
import { broadcastTo } from "./shape.ts";
import { sumTo } from "./sumTo.ts";

/** A function of two broadcasting operands, element by element. */
export type BinaryOp = Op<(a: Operand, b: Operand) => Tensor>;

/** `d` times the partial derivative by one operand, given both operands and the result. */
type PartialRule = (d: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor;

/** What distinguishes one op of two operands from another. */
export interface BinaryDeclaration {
  readonly name: BinaryName;
  readonly partials: readonly [PartialRule, PartialRule];
  /** Which of `a`, `b` and `y` the partial derivatives read. */
  readonly residuals: string;
  readonly domains?: readonly [InputSpec["domain"], InputSpec["domain"]];
  readonly apart?: boolean;
  /** The in-place form of both operands' rules. */
  readonly accumulate?: AccumulateRule<unknown>;
}

/** The declaration of an op of two broadcasting operands. */
export function binary(given: BinaryDeclaration): OpDeclaration {
  const { name, partials, residuals, domains, apart, accumulate } = given;
  const declaration: OpDeclaration = {
    ...broadcasting(name, (inputs) => apply(declaration, inputs, undefined), domains),
    ...(apart !== undefined && { apart }),
    ...(accumulate !== undefined && { accumulate: [accumulate, accumulate] }),
    residuals: {
      inputs: [0, 1].filter((i) => residuals.includes("ab"[i]!)),
      output: residuals.includes("y"),
    },
    vjp: partials.map((partial) => (g, { inputs: [a, b], output }, input) => {
      const shape = (input === 0 ? a! : b!).shape;
      return sumTo(partial(g, a!, b!, output), shape);
    }),
    jvp(tangents, { inputs: [a, b], output }) {
      let result: Tensor | undefined;
      for (const [i, partial] of partials.entries()) {
        const tangent = tangents[i];
        if (!tangent) continue;
        const part = partial(tangent, a!, b!, output);
        result = result === undefined ? part : result.add(part);
      }
      return sameShape(result!.shape, output.shape) ? result! : broadcastTo(result!, output.shape);
    },
  };
  return declaration;
}

/** An op of two operands that does nothing but apply its declaration. */
export function simple(declaration: OpDeclaration): BinaryOp {
  return op(declaration, (a: Operand, b: Operand) => apply(declaration, [a, b], undefined));
}
