import type { DType, Shape, TypedArray } from "@chronograd/autodiff";

/** Elements of one stored tensor, copied out of the file. */
export interface DecodedTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** What a safetensors file holds. */
export interface Decoded {
  /** Tensors by name, in the order in which the header lists them. */
  readonly tensors: Readonly<Record<string, DecodedTensor>>;
  /** Free text by key; empty where the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The key of the header that holds text instead of a tensor. */
export const metadataKey = "__metadata__";

/** The longest header that the format allows, in bytes. */
export const headerLimit = 100_000_000;

/** Element types that files name, and how many bytes one element takes. */
export const storedTypes = {
  F64: 8,
  F32: 4,
  I32: 4,
  F16: 2,
  BF16: 2,
} as const;

/** An element type that can be read. */
export type StoredType = keyof typeof storedTypes;

/** What the header says of one tensor. */
export interface Entry {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}
