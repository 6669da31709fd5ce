import type { TypedArray } from "@chronograd/autodiff";
import { fromBfloat16, fromFloat16 } from "./half.ts";
import { readHeader } from "./header.ts";
import type { Decoded, DecodedTensor, Entry, StoredType } from "./safetensors.ts";

/**
 * The tensors and the metadata of a safetensors file. See `encodeSafetensors`.
 *
 * F64, F32 and I32 are read as they are; F16 and BF16 are widened to float32, without loss.
 *
 * @param bytes the whole file
 * @throws for whatever the format does not allow (a file cut off, a header that is no JSON or has a key twice, data
 *   with gaps or overlaps, a size that is not that of the shape) and for other element types
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { decodeSafetensors, encodeSafetensors } from "@chronograd/nn";
 *
 * const { tensors } = decodeSafetensors(encodeSafetensors({ b: tensor([1, 2]) }));
 * [...(tensors.b?.data ?? [])]; // => [1, 2]
 * ```
 */
export function decodeSafetensors(bytes: Uint8Array): Decoded {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(
      `decodeSafetensors: expected a Uint8Array, got ${typeof bytes}; wrap an ArrayBuffer with new Uint8Array(buffer)`,
    );
  }
  const { entries, metadata, dataStart } = readHeader(bytes);
  const tensors = entries.map((entry): [string, DecodedTensor] => {
    // A copy, and so aligned; Node's Buffer would not copy in slice().
    const copy = new Uint8Array(bytes.subarray(dataStart + entry.begin, dataStart + entry.end));
    return [entry.name, elementsOf(entry, copy.buffer)];
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

const readers: Readonly<Record<StoredType, (buffer: ArrayBuffer) => TypedArray>> = {
  F64: (buffer) => new Float64Array(buffer),
  F32: (buffer) => new Float32Array(buffer),
  I32: (buffer) => new Int32Array(buffer),
  F16: (buffer) => fromFloat16(new Uint16Array(buffer)),
  BF16: (buffer) => fromBfloat16(new Uint16Array(buffer)),
};

function elementsOf({ dtype, shape }: Entry, buffer: ArrayBuffer): DecodedTensor {
  const data = readers[dtype](buffer);
  if (data instanceof Float64Array) return { dtype: "float64", shape, data };
  return { dtype: data instanceof Int32Array ? "int32" : "float32", shape, data };
}
