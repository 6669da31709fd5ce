import type { NdArray } from "ndarray";
import { type Backend, defaultBackend } from "./backend.ts";
import { bytesOf, checkDType, checkInt32, type DType } from "./dtype.ts";
import { asNumbers, fromNested, type NestedArrays, type NestedNumbers } from "./nested.ts";
import { checkOptions } from "./options.ts";
import { checkShape, format, type Shape, sizeOf } from "./shape.ts";
import { allocate, fromTypedArray, giveOwner, Tensor } from "./tensor.ts";

/**
 * What becomes a tensor: nested numbers, any typed array, nested arrays of such, any ndarray
 * (whatever its strides), or a tensor.
 */
export type TensorSource = NestedNumbers | NestedArrays | NdArray | Tensor;

/** Where a new tensor lives and what its elements are. */
export interface TensorOptions {
  /** Defaults to the source's: float64 for Float64Array, int32 for Int32Array, else float32. */
  readonly dtype?: DType;
  /** The shape to read flat data with; defaults to the source's. */
  readonly shape?: Shape;
  /** Defaults to `defaultBackend()`. */
  readonly backend?: Backend;
}

/** Options of what makes tensors of a given shape. @internal */
export const optionsOfShaped: readonly string[] = ["dtype", "backend"];

function isNdarray(value: unknown): value is NdArray {
  return (
    typeof value === "object" &&
    value !== null &&
    "data" in value &&
    "stride" in value &&
    "shape" in value &&
    "offset" in value
  );
}

/** Elements of an ndarray in row-major order, whatever its strides and storage. */
function fromNdarray(array: NdArray): ArrayLike<number> {
  const { shape, stride, offset } = array;
  const data = array.data as ArrayLike<number> & { get?: (index: number) => number };
  const read =
    typeof data.get === "function" ? (i: number) => data.get!(i) : (i: number) => data[i]!;
  const size = sizeOf(shape);
  const flat = new Float64Array(size);
  const index = new Array<number>(shape.length).fill(0);
  let position = offset;
  for (let i = 0; i < size; i++) {
    flat[i] = read(position);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += stride[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      position -= stride[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return flat;
}

function dtypeOf(data: unknown): DType {
  if (data instanceof Float64Array) return "float64";
  return data instanceof Int32Array ? "int32" : "float32";
}

/**
 * A tensor with a copy of `source`'s elements.
 *
 * @param source nested numbers, a typed array, nested typed arrays of one kind, an ndarray of any
 *   strides and offset, or a tensor
 * @throws for ragged nesting, an unknown dtype or option, a shape whose size is not the number of
 *   elements, or a number that int32 does not hold (NaN, a fraction, beyond 2^31) where that is
 *   asked for
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 2], [3, 4]], { dtype: "float64" });
 * x.matmul(x).toArray(); // => [[7, 10], [15, 22]]
 * ```
 */
export function tensor(source: TensorSource, options: TensorOptions = {}): Tensor {
  checkOptions("tensor", options, ["dtype", "shape", "backend"]);
  return tensorOf("tensor", source, options);
}

/** `tensor`, for the function that `where` names. @internal */
export function tensorOf(where: string, source: TensorSource, options: TensorOptions): Tensor {
  const backend = options.backend ?? defaultBackend();
  let data: ArrayLike<number>;
  let shape: Shape;
  let dtype: DType = "float32";
  if (source instanceof Tensor) {
    data = source.toTypedArray();
    shape = source.shape;
    dtype = source.dtype;
  } else if (isNdarray(source)) {
    data = fromNdarray(source);
    shape = [...source.shape];
    dtype = dtypeOf(source.data);
  } else if (ArrayBuffer.isView(source)) {
    data = asNumbers(source, where);
    shape = [data.length];
    dtype = dtypeOf(source);
  } else if (typeof source === "number" || Array.isArray(source)) {
    ({ data, shape } = fromNested(source, where));
    dtype = dtypeOf(data);
  } else {
    throw new TypeError(
      `${where}: expected numbers, nested arrays, a typed array, an ndarray or a tensor, got ${source === null ? "null" : typeof source}`,
    );
  }
  if (options.dtype !== undefined) {
    checkDType(options.dtype, where);
    dtype = options.dtype;
  }
  if (options.shape !== undefined) {
    checkShape(options.shape, where);
    if (sizeOf(options.shape) !== data.length) {
      throw new RangeError(
        `${where}: shape ${format(options.shape)} has ${sizeOf(options.shape)} elements, got ${data.length}`,
      );
    }
    shape = [...options.shape];
  }
  if (dtype === "int32") checkInt32(data, where);
  return giveOwner(fromTypedArray(backend, data, shape, dtype));
}

/**
 * A tensor of one repeated value. Throws for a shape with a negative or fractional length, and for
 * a value that int32 does not hold where that is asked for.
 *
 * @example
 * ```ts
 * import { full } from "@chronograd/autodiff";
 *
 * full([2, 2], 7).toArray(); // => [[7, 7], [7, 7]]
 * ```
 */
export function full(
  shape: Shape,
  value: number,
  options: Omit<TensorOptions, "shape"> = {},
): Tensor {
  checkOptions("zeros, ones, full", options, optionsOfShaped);
  checkShape(shape, "zeros, ones, full");
  if (typeof value !== "number") {
    throw new TypeError(`full: value must be a number, got ${String(value)}`);
  }
  const dtype = options.dtype ?? "float32";
  checkDType(dtype, "full");
  if (dtype === "int32") checkInt32([value], "full");
  return giveOwner(filled(options.backend ?? defaultBackend(), [...shape], value, dtype));
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: Omit<TensorOptions, "shape"> = {}): Tensor {
  return full(shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: Omit<TensorOptions, "shape"> = {}): Tensor {
  return full(shape, 1, options);
}

/** A value filled with one number that nothing holds yet. @internal */
export function filled(backend: Backend, shape: Shape, value: number, dtype: DType): Tensor {
  const home = backend.parent ?? backend;
  const result = allocate(home, shape, dtype);
  const start = result.pointer / bytesOf[dtype];
  home.memory.views[dtype].fill(value, start, start + result.size);
  return result;
}
