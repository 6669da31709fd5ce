import { type Tensor, type TypedArray, tensor, tree } from "@chronograd/autodiff";

/** A tensor on its way to another thread. */
interface Parcel {
  readonly "chronograd:tensor": TypedArray;
  readonly shape: readonly number[];
}

/** A value with its tensors copied out, as `postMessage` can send it. */
export function pack(value: unknown): unknown {
  return tree.map(value, (x: Tensor): Parcel => {
    return { "chronograd:tensor": x.toTypedArray(), shape: x.shape };
  });
}

/** What was packed, its tensors in this thread's memory. */
export function unpack(value: unknown): unknown {
  const open = ({ "chronograd:tensor": data, shape }: Parcel) => tensor(data, { shape });
  return tree.map<unknown, Tensor, Parcel>(value, open, isParcel);
}

function isParcel(value: unknown): value is Parcel {
  return typeof value === "object" && value !== null && "chronograd:tensor" in value;
}
