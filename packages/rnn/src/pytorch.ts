/**
 * The entry point for those who come from PyTorch, or go there: parameters from and to state dicts,
 * and parameters that start as PyTorch starts them.
 *
 * @packageDocumentation
 */

export { type FromPyTorchOptions, fromPyTorch } from "./pytorch/fromPyTorch.ts";
export { initialPyTorch } from "./pytorch/initialPyTorch.ts";
export type { StateDict } from "./pytorch/layout.ts";
export type { Model } from "./pytorch/layoutOf.ts";
export { type ToPyTorchOptions, toPyTorch } from "./pytorch/toPyTorch.ts";
