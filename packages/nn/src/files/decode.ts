import type { TypedArray } from "@chronograd/autodiff";
import { fromBfloat16, fromFloat16 } from "./half.ts";
import { malformed, readHeader } from "./header.ts";
import type { Decoded, DecodedTensor, Entry, StoredType } from "./safetensors.ts";

/**
 * The tensors and the metadata of a safetensors file. See `encodeSafetensors`.
 *
 * F64, F32 and I32 are read as they are; F16 and BF16 are widened to float32, and I8, U8, I16 and
 * U16 to int32, without loss; BOOL becomes 0 or 1. I64, U64 and U32 become int32 where all their
 * numbers fit. The elements of other tensors throw when they are asked for, and the rest of the
 * file can be read.
 *
 * Files are taken or refused as the format's own library does, with two exceptions: a key that
 * stands twice is refused everywhere, and so is a tensor that is described by a list.
 *
 * @param bytes the whole file
 * @throws for whatever the format does not allow: a file cut off, a header that is no JSON or has a
 *   key twice, data with gaps or overlaps, a size that is not that of the shape, an element type
 *   that it does not know
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { decodeSafetensors, encodeSafetensors } from "@chronograd/nn/safetensors";
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
  const names = entries.map(({ name }) => name);
  return { names, tensors: Object.fromEntries(tensors), metadata };
}

/** Whole numbers as int32, or the first that does not fit. */
function narrowed(wide: ArrayLike<number | bigint>): Int32Array | number | bigint {
  const narrow = Int32Array.from(wide, Number);
  for (let i = 0; i < wide.length; i++) if (narrow[i] !== Number(wide[i])) return wide[i]!;
  return narrow;
}

/** How elements are read, where they can be. */
const readers: Partial<Record<StoredType, (buffer: ArrayBuffer) => TypedArray | number | bigint>> =
  {
    F64: (buffer) => new Float64Array(buffer),
    F32: (buffer) => new Float32Array(buffer),
    F16: (buffer) => fromFloat16(new Uint16Array(buffer)),
    BF16: (buffer) => fromBfloat16(new Uint16Array(buffer)),
    I64: (buffer) => narrowed(new BigInt64Array(buffer)),
    U64: (buffer) => narrowed(new BigUint64Array(buffer)),
    I32: (buffer) => new Int32Array(buffer),
    U32: (buffer) => narrowed(new Uint32Array(buffer)),
    I16: (buffer) => narrowed(new Int16Array(buffer)),
    U16: (buffer) => narrowed(new Uint16Array(buffer)),
    I8: (buffer) => narrowed(new Int8Array(buffer)),
    U8: (buffer) => narrowed(new Uint8Array(buffer)),
    BOOL: (buffer) => Int32Array.from(new Uint8Array(buffer), (byte) => Math.min(byte, 1)),
  };

function elementsOf({ name, dtype: stored, shape }: Entry, buffer: ArrayBuffer): DecodedTensor {
  const { byteLength } = buffer;
  const dtype = stored === "F64" ? "float64" : /^(B?F|C)/.test(stored) ? "float32" : "int32";
  const data = readers[stored]?.(buffer);
  if (typeof data === "object") return { dtype, stored, shape, byteLength, data };
  const problem =
    data === undefined
      ? "is of a type that is not read; save it as F32"
      : `holds ${data}, which int32 does not; save it as F64`;
  return {
    dtype,
    stored,
    shape,
    byteLength,
    get data(): never {
      throw malformed(
        `tensor ${JSON.stringify(name)} of ${stored} [${shape.join(",")}] ${problem}`,
      );
    },
  };
}
