/** Element types: two floating types that carry gradients, and int32 for positions and class labels. */
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
