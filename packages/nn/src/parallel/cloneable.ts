import { type Tensor, type TypedArray, tensor, tree } from "@chronograd/autodiff";

/** A tensor as `structuredClone` takes it. */
interface CloneableTensor {
  readonly "chronograd:tensor": TypedArray;
  readonly shape: readonly number[];
}

/** A value with its tensors copied out, as `postMessage` can send it to another thread. */
export function toCloneable(value: unknown): unknown {
  return tree.map(value, (x: Tensor): CloneableTensor => {
    return { "chronograd:tensor": x.toTypedArray(), shape: x.shape };
  });
}

/** The value again, its tensors in this thread's memory. */
export function fromCloneable(value: unknown): unknown {
  const toTensor = ({ "chronograd:tensor": data, shape }: CloneableTensor) =>
    tensor(data, { shape });
  return tree.map<unknown, Tensor, CloneableTensor>(value, toTensor, isCloneableTensor);
}

function isCloneableTensor(value: unknown): value is CloneableTensor {
  return typeof value === "object" && value !== null && "chronograd:tensor" in value;
}
