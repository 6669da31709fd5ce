// What the gates of recurrent cells share: blocks of columns side by side.
import { zeros } from "../tensor/create.ts";
import type { FloatDType } from "../tensor/dtype.ts";
import { format, type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Sample } from "./declare.ts";

/** Rows, and the length of one block of columns, of gates that have so many blocks. */
export function sizesOf({ shape }: Tensor, blocks: number): [rows: number, hidden: number] {
  return [sizeOf(shape.slice(0, -1)), shape.at(-1)! / blocks];
}

/** Throws a sentence unless gates are `[..., blocks H]` where a state is `[..., H]`. */
export function checkState(
  name: string,
  blocks: number,
  gates: Tensor,
  state: Tensor,
  its: string,
): Shape {
  const { shape } = state;
  const fits =
    state.rank > 0 && sameShape(gates.shape, [...shape.slice(0, -1), blocks * shape.at(-1)!]);
  if (fits) return shape;
  throw new RangeError(
    `${name}: gates must be [..., ${blocks}H] where ${its} is [..., H], got gates ${format(gates.shape)} and ${its} ${format(shape)}; use broadcastTo for one state of all rows`,
  );
}

/** `y - y^2`, the derivative of `y = sigmoid(x)` by `x`. */
export const sigmoidSlope = (y: Tensor): Tensor => y.sub(y.square());
/** `1 - y^2`, the derivative of `y = tanh(x)` by `x`. */
export const tanhSlope = (y: Tensor): Tensor => y.square().neg().add(1);

/** Zeros of a value's shape, dtype and backend. */
export function zerosLike({ shape, dtype, backend }: Tensor): Tensor {
  return zeros(shape, { dtype: dtype as FloatDType, backend });
}

/** Ways to call an op of gates and one state. */
export function stateSamples(blocks: number, its: string, call: Sample["call"]): Sample[] {
  return [[2, 3], [1], [2, 1, 7], [0, 2]].map((shape) => ({
    label: `${its} [${shape}]`,
    inputs: [{ shape: [...shape.slice(0, -1), blocks * shape.at(-1)!] }, { shape }],
    call,
  }));
}
