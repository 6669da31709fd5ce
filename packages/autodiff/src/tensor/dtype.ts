/**
 * Element types: two floating types that carry gradients, and int32 for positions and class labels.
 */
export type DType = "float32" | "float64" | "int32";
/** The element types that arithmetic is defined on. */
export type FloatDType = "float32" | "float64";
/** The typed array that holds a dtype's elements. */
export type TypedArray = Float32Array | Float64Array | Int32Array;

/** Bytes of one element. */
export const bytesOf: Readonly<Record<DType, number>> = { float32: 4, float64: 8, int32: 4 };

/** The typed-array constructor of each dtype. */
export const arrayOf: Readonly<{
  float32: Float32ArrayConstructor;
  float64: Float64ArrayConstructor;
  int32: Int32ArrayConstructor;
}> = { float32: Float32Array, float64: Float64Array, int32: Int32Array };

/** True for the dtypes that carry gradients. */
export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype !== "int32";
}

/** Throws a sentence unless `dtype` names an element type. */
export function checkDType(dtype: string, where: string): asserts dtype is DType {
  if (!(dtype in bytesOf)) {
    throw new TypeError(
      `${where}: dtype must be "float32", "float64" or "int32", got ${JSON.stringify(dtype)}`,
    );
  }
}

/** Where the first element stands that is no whole number from -2^31 to 2^31 - 1, or -1. */
export function firstNotInt32(values: ArrayLike<number>): number {
  for (let i = 0; i < values.length; i++) if ((values[i]! | 0) !== values[i]) return i;
  return -1;
}

/** Throws a sentence unless every element is a whole number that int32 holds. */
export function checkInt32(values: ArrayLike<number>, where: string): void {
  if (values instanceof Int32Array) return;
  const at = firstNotInt32(values);
  if (at < 0) return;
  throw new RangeError(
    `${where}: ${values[at]}${values.length > 1 ? ` at position ${at}` : ""} is no int32, expected a whole number from -2147483648 to 2147483647; round and clip it first`,
  );
}
