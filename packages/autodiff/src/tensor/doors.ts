import ndarray, { type NdArray } from "ndarray";
import { type Backend, defaultBackend } from "./backend.ts";
import { arrayOf, bytesOf, checkDType, type DType, type TypedArray } from "./dtype.ts";
import { checkShape, format, type Shape, sizeOf } from "./shape.ts";
import { allocate, checkAlive, fromTypedArray, place, Tensor } from "./tensor.ts";

/** A number, or arrays of them nested to any depth, rectangular. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** What becomes a tensor: nested numbers, any typed array, any ndarray (whatever its strides), or a tensor. */
export type TensorSource = NestedNumbers | ArrayBufferView | NdArray | Tensor;

/** An ndarray over a tensor's own bytes. */
export type LiveNdArray = NdArray<{
  get(index: number): number;
  set(index: number, value: number): number;
  length: number;
}>;

/** Where a new tensor lives and what its elements are. */
export interface TensorOptions {
  /** Defaults to the source's: float64 for Float64Array, int32 for Int32Array, else float32. */
  readonly dtype?: DType;
  /** The shape to read flat data with; defaults to the source's. */
  readonly shape?: Shape;
  /** Defaults to `defaultBackend()`. */
  readonly backend?: Backend;
}

function checkOptions(options: unknown, where: string): void {
  if (typeof options === "object" && options !== null) return;
  throw new TypeError(
    `${where}: options must be an object such as { dtype: "float64" }, got ${JSON.stringify(options)}`,
  );
}

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

/** Rows of `value` appended to `flat`; throws for ragged nesting. */
function flatten(value: NestedNumbers, shape: Shape, depth: number, flat: number[]): void {
  if (depth === shape.length) {
    if (typeof value !== "number") {
      throw new TypeError(
        `tensor: expected a number at depth ${depth}, got ${Array.isArray(value) ? `an array of ${value.length}` : String(value)}; every nested array must be equally deep`,
      );
    }
    flat.push(value);
    return;
  }
  if (!Array.isArray(value) || value.length !== shape[depth]) {
    const got = Array.isArray(value) ? `an array of ${value.length}` : String(value);
    throw new RangeError(
      `tensor: expected an array of ${shape[depth]} at depth ${depth}, got ${got}; nested arrays must be rectangular`,
    );
  }
  for (const part of value) flatten(part, shape, depth + 1, flat);
}

function fromNested(value: NestedNumbers): { data: ArrayLike<number>; shape: Shape } {
  const shape: number[] = [];
  for (let part = value; Array.isArray(part); part = part[0]) {
    shape.push(part.length);
    if (part.length === 0) break;
  }
  const flat: number[] = [];
  flatten(value, shape, 0, flat);
  return { data: flat, shape };
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
 * @param source nested numbers, a typed array, an ndarray of any strides and offset, or a tensor
 * @throws for ragged nesting, an unknown dtype, or a shape whose size is not the number of elements
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
  checkOptions(options, "tensor");
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
    data = source as unknown as ArrayLike<number>;
    if (typeof data.length !== "number" || typeof (data[0] ?? 0) !== "number") {
      throw new TypeError(
        "tensor: expected a typed array of numbers, got a DataView or 64-bit integers",
      );
    }
    shape = [data.length];
    dtype = dtypeOf(source);
  } else if (typeof source === "number" || Array.isArray(source)) {
    ({ data, shape } = fromNested(source));
  } else {
    throw new TypeError(
      `tensor: expected numbers, nested arrays, a typed array, an ndarray or a tensor, got ${source === null ? "null" : typeof source}`,
    );
  }
  if (options.dtype !== undefined) {
    checkDType(options.dtype, "tensor");
    dtype = options.dtype;
  }
  if (options.shape !== undefined) {
    checkShape(options.shape, "tensor");
    if (sizeOf(options.shape) !== data.length) {
      throw new RangeError(
        `tensor: shape ${format(options.shape)} has ${sizeOf(options.shape)} elements, got ${data.length}`,
      );
    }
    shape = [...options.shape];
  }
  return place(fromTypedArray(backend, data, shape, dtype));
}

/**
 * A tensor of one repeated value. Throws for a shape with a negative or fractional length.
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
  checkOptions(options, "zeros, ones, full");
  checkShape(shape, "zeros, ones, full");
  if (typeof value !== "number") {
    throw new TypeError(`full: value must be a number, got ${String(value)}`);
  }
  const dtype = options.dtype ?? "float32";
  checkDType(dtype, "full");
  return place(filled(options.backend ?? defaultBackend(), [...shape], value, dtype));
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: Omit<TensorOptions, "shape"> = {}): Tensor {
  return full(shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: Omit<TensorOptions, "shape"> = {}): Tensor {
  return full(shape, 1, options);
}

/**
 * A vector of `start, start + step, ...` below `stop`. Throws for a step of 0.
 *
 * @example
 * ```ts
 * import { arange } from "@chronograd/autodiff";
 *
 * arange(0, 2, 0.5).toArray(); // => [0, 0.5, 1, 1.5]
 * ```
 */
export function arange(
  start: number,
  stop: number,
  step = 1,
  options: Omit<TensorOptions, "shape"> = {},
): Tensor {
  if (step === 0 || !Number.isFinite((stop - start) / step)) {
    throw new RangeError(
      `arange: start, stop and a step other than 0 must be finite, got ${start}, ${stop}, ${step}`,
    );
  }
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return tensor(
    Float64Array.from({ length }, (_, i) => start + i * step),
    { dtype: "float32", ...options },
  );
}

/** A value filled with one number that nothing holds yet. @internal */
export function filled(backend: Backend, shape: Shape, value: number, dtype: DType): Tensor {
  const home = backend.parent ?? backend;
  const result = allocate(home, shape, dtype);
  const start = result.pointer / bytesOf[dtype];
  home.memory.views[dtype].fill(value, start, start + result.size);
  return result;
}

/** Nested arrays from flat row-major elements. @internal */
export function readNested(data: TypedArray, shape: Shape): NestedNumbers {
  if (shape.length === 0) return data[0]!;
  let level: NestedNumbers[] = Array.from(data);
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const length = shape[axis]!;
    const count = sizeOf(shape.slice(0, axis));
    level = Array.from({ length: count }, (_, i) => level.slice(i * length, (i + 1) * length));
  }
  return level;
}

/** See `Tensor.liveView`. @internal */
export function liveNdarray(x: Tensor): LiveNdArray {
  const at = (index: number) => {
    checkAlive(x, "liveView");
    return x.pointer / arrayOf[x.dtype].BYTES_PER_ELEMENT + index;
  };
  const store = {
    length: x.size,
    get: (index: number) => x.backend.memory.views[x.dtype][at(index)]!,
    set: (index: number, value: number) => {
      x.block.version++;
      x.backend.memory.views[x.dtype][at(index)] = value;
      return value;
    },
  };
  return ndarray(store, [...x.shape]) as LiveNdArray;
}
