import { type Shape, Tensor } from "@chronograd/autodiff";
import type { Cell } from "../cell.ts";
import { makingOf, rememberMaking } from "../making.ts";

/** What the noise of a cell around another one is: that of the inner cell, and its own. */
export type NoiseAround<Own> = { readonly cell?: unknown } & Own;

/** A cell with the parameters and the state of another one, whose step it surrounds. */
export function around<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  noise: object,
  step: Cell<Params, State, X, Y>["step"],
): Cell<Params, State, X, Y> {
  const { params, state, input } = cell;
  const surrounding: typeof cell = {
    params,
    state,
    ...(input && { input }),
    noise: { cell: cell.noise, ...noise },
    ...(cell.initial && { initial: (own, batch) => cell.initial!(own, batch) }),
    step,
  };
  return rememberMaking(surrounding, makingOf(cell));
}

/**
 * The shape of one row of a cell's input.
 *
 * @param given a number of columns, or a shape, where the caller says it
 * @throws where neither the caller nor the cell says it
 */
export function inputShape(
  where: string,
  cell: { readonly input?: Shape },
  given: number | Shape | undefined,
  wayOut: string,
): Shape {
  const shape = typeof given === "number" ? [given] : (given ?? cell.input);
  const isShape =
    Array.isArray(shape) && shape.every((length) => Number.isInteger(length) && length >= 1);
  if (isShape) return shape as Shape;
  throw new TypeError(
    shape === undefined
      ? `${where}: the cell does not say what shape a row of its input has, and a mask needs it; ${wayOut}`
      : `${where}: input must be a number of columns or the shape of a row, got ${JSON.stringify(shape)}`,
  );
}

/** An input through a mask of its shape: where the input is `{ x, context }`, its `x`. */
export function masked<X>(where: string, input: X, mask: Tensor): X {
  if (!(input instanceof Tensor)) {
    const { x } = Object(input) as { readonly x?: unknown };
    if (x instanceof Tensor) return { ...input, x: masked(where, x, mask) };
  } else if (input.dtype === mask.dtype && input.shape.join() === mask.shape.join()) {
    return input.mul(mask) as X;
  }
  const got = input instanceof Tensor ? `${input.dtype} [${input.shape}]` : "another tree";
  throw new TypeError(
    `${where}: the input must be a tensor ${mask.dtype} [${mask.shape}], as the mask, got ${got}; say the shape of a row with input, and put a cell behind the embedding of symbols`,
  );
}
