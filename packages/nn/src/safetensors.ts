/**
 * Trees of tensors as safetensors bytes, and back, in Node and in browsers.
 *
 * @packageDocumentation
 */
export { decodeSafetensors } from "./files/decode.ts";
export { encodeSafetensors } from "./files/encode.ts";
export { type PrefixOption, restoreTree, tensorsOf } from "./files/restore.ts";
export type { Decoded, DecodedTensor, StoredType } from "./files/safetensors.ts";
