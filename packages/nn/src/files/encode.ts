import { type DType, type Tensor, tree } from "@chronograd/autodiff";
import { headerLimit, metadataKey, type StoredType, storedTypes } from "./safetensors.ts";

const typeOf: Readonly<Record<DType, StoredType>> = {
  float64: "F64",
  float32: "F32",
  int32: "I32",
};

/** Dtypes in the order in which files store them, the same as the format's own library does. */
const storedOrder: readonly DType[] = ["float64", "float32", "int32"];

/** Files align their data to this many bytes. */
const alignment = 8;

/**
 * A tree of tensors as the bytes of a safetensors file, the format that PyTorch, JAX and most other
 * libraries read: an 8-byte length, a JSON header, and the elements
 * (https://huggingface.co/docs/safetensors).
 *
 * A tensor is named by its path (`"layers.0.W"`). Elements of 8 bytes come first, then names in
 * order, so that every tensor is aligned, and the same tree always gives the same bytes.
 *
 * @param values nested objects and arrays of tensors
 * @param metadata text to keep with them
 * @throws for a lone tensor, two tensors with one path, metadata that is not text, or text with
 *   half a character (a lone surrogate)
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { decodeSafetensors, encodeSafetensors } from "@chronograd/nn/safetensors";
 *
 * const bytes = encodeSafetensors({ layers: [{ W: tensor([[1, 2]]) }] }, { epoch: "3" });
 * const { tensors, metadata } = decodeSafetensors(bytes);
 * tensors["layers.0.W"]?.shape; // => [1, 2]
 * metadata.epoch; // => "3"
 * ```
 */
export function encodeSafetensors(
  values: unknown,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const named = tree.leavesWithPath(values).sort(inFileOrder);
  checkNames(named);
  // Written out key by key: an object would move keys that look like numbers to its front.
  const header: string[] = [];
  const write = (key: string, value: unknown) =>
    header.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  checkMetadata(metadata);
  if (Object.keys(metadata).length > 0) write(metadataKey, metadata);
  let end = 0;
  for (const [name, x] of named) {
    const begin = end;
    const dtype = typeOf[x.dtype];
    end += (x.size * storedTypes[dtype]) / 8;
    write(name, { dtype, shape: x.shape, data_offsets: [begin, end] });
  }
  const json = new TextEncoder().encode(`{${header.join(",")}}`);
  const headerLength = Math.ceil(json.length / alignment) * alignment;
  if (headerLength > headerLimit) {
    throw new RangeError(
      `encodeSafetensors: the header takes ${headerLength} bytes and the format allows ${headerLimit}; shorten the metadata`,
    );
  }
  const bytes = new Uint8Array(8 + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(json, 8);
  bytes.fill(0x20, 8 + json.length, 8 + headerLength);
  let at = 8 + headerLength;
  for (const [, x] of named) {
    const { buffer, byteLength } = x.toTypedArray();
    bytes.set(new Uint8Array(buffer, 0, byteLength), at);
    at += byteLength;
  }
  return bytes;
}

function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  for (const [key, text] of Object.entries(metadata)) {
    if (typeof text !== "string") {
      throw new TypeError(
        `encodeSafetensors: metadata "${key}" must be a string, got ${typeof text}; write it as one, for example with JSON.stringify`,
      );
    }
    checkWhole("metadata", key);
    checkWhole(`metadata "${key}"`, text);
  }
}

/** Half a character is no UTF-8: what other libraries would refuse to read. */
function checkWhole(what: string, text: string): void {
  if (text.isWellFormed()) return;
  throw new TypeError(
    `encodeSafetensors: ${what} ${JSON.stringify(text)} has half a character, a lone surrogate; write whole ones, for example text.toWellFormed()`,
  );
}

function inFileOrder([a, x]: [string, Tensor], [b, y]: [string, Tensor]): number {
  const types = storedOrder.indexOf(x.dtype) - storedOrder.indexOf(y.dtype);
  if (types !== 0) return types;
  return a < b ? -1 : a > b ? 1 : 0;
}

function checkNames(named: readonly [string, Tensor][]): void {
  for (const [name] of named) {
    if (name === "") {
      throw new TypeError(
        "encodeSafetensors: a lone tensor has no name; put it into an object, for example { W: tensor }",
      );
    }
    if (name === metadataKey) {
      throw new TypeError(
        `encodeSafetensors: a tensor must not be called "${metadataKey}"; rename it`,
      );
    }
    checkWhole("the tensor", name);
  }
}
