/**
 * Examples into batches: drawn orders, similar lengths together, and ragged sequences as one
 * tensor.
 *
 * @packageDocumentation
 */
export { type BatchesOptions, batches } from "./data/batches.ts";
export { type Padded, type PaddedOptions, padded, type RaggedSequence } from "./data/padded.ts";
