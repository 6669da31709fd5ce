/**
 * The entry point to the package ndarray: tensors as its views. Values come in from it through
 * `tensor`, which does without. The package makes views from text, which a strict content security
 * policy forbids, so it has a separate entry point.
 *
 * @packageDocumentation
 */
import "./ops/fluent.ts";

export { type LiveNdArray, liveView, toNdarray } from "./tensor/ndarray.ts";
