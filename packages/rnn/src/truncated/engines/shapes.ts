import {
  type Backend,
  type DType,
  type Shape,
  type Tensor,
  tree,
  zeros,
} from "@chronograd/autodiff";

/** What stands for a tensor where only its shape and dtype count. */
class TensorType {
  readonly dtype: DType;
  readonly shape: Shape;

  constructor({ dtype, shape }: Tensor) {
    this.dtype = dtype;
    this.shape = shape;
  }
}

const isType = (value: unknown): value is TensorType => value instanceof TensorType;

/** The shapes and dtypes of a tree's tensors, without their memory. */
export class Shapes<T> {
  readonly #types: unknown;

  constructor(values: T) {
    this.#types = tree.map(values, (x: Tensor) => new TensorType(x));
  }

  /** Whether another tree has the same, in the same places. */
  equals(other: Shapes<unknown>): boolean {
    return JSON.stringify(this.#types) === JSON.stringify(other.#types);
  }

  /** A tree of zeros with these shapes. */
  zeros(backend: Backend): T {
    return tree.map(
      this.#types,
      ({ shape, dtype }: TensorType) => zeros(shape, { dtype, backend }),
      isType,
    ) as T;
  }
}
