import type { DType, Shape, TypedArray } from "@chronograd/autodiff";

/** Elements of one stored tensor, copied out of the file. */
export interface DecodedTensor {
  /** As which it is read. */
  readonly dtype: DType;
  /** The element type in the file, such as `"BF16"`. */
  readonly stored: StoredType;
  readonly shape: Shape;
  /** Bytes in the file. */
  readonly byteLength: number;
  /** Throws where `dtype` cannot hold what is stored: 64-bit numbers that are too large, say. */
  readonly data: TypedArray;
}

/** What a safetensors file holds. */
export interface Decoded {
  /** All names, in the order in which the header lists them. */
  readonly names: readonly string[];
  /**
   * Tensors by name, in the header's order too, but that JavaScript puts names such as `"10"`
   * first.
   */
  readonly tensors: Readonly<Record<string, DecodedTensor>>;
  /** Free text by key; empty where the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The key of the header that holds text instead of a tensor. */
export const metadataKey = "__metadata__";

/** The longest header that the format allows, in bytes. */
export const headerLimit = 100_000_000;

/** Element types that files name, and how many bits one element takes. */
export const storedTypes = {
  F64: 64,
  F32: 32,
  I32: 32,
  F16: 16,
  BF16: 16,
  I64: 64,
  U64: 64,
  U32: 32,
  I16: 16,
  U16: 16,
  I8: 8,
  U8: 8,
  BOOL: 8,
  C64: 64,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
} as const;

/** An element type that the format knows. */
export type StoredType = keyof typeof storedTypes;

/** What the header says of one tensor. */
export interface Entry {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}
