/**
 * Reverse- and forward-mode automatic differentiation on a tape that is a program.
 *
 * @packageDocumentation
 */
import "./ops/fluent.ts";

export type { Compiled } from "./compile/bySignature.ts";
export { compile } from "./compile/compile.ts";
export type { DataParallelOptions, Out, RowAxis } from "./compile/dataParallel.ts";
export { dataParallel } from "./compile/dataParallel.ts";
export type { KernelMaker } from "./kernels/contract.ts";
export * from "./ops/public.ts";
export type { SegmentStats, TapeStats } from "./passes/stats.ts";
export { named, timeStep } from "./tape/place.ts";
export type { RecordingOptions } from "./tape/recording.ts";
export { Mark, Recording } from "./tape/recording.ts";
export type { GradientOptions } from "./tape.ts";
export { Tape } from "./tape.ts";
export type { KernelSetName } from "./tensor/backend.ts";
export { Backend, createBackend, defaultBackend, nativeBlas } from "./tensor/backend.ts";
export type { TensorOptions, TensorSource } from "./tensor/create.ts";
export { full, ones, tensor, zeros } from "./tensor/create.ts";
export type { DType, FloatDType, TypedArray } from "./tensor/dtype.ts";
export type { NestedArrays, NestedNumbers } from "./tensor/nested.ts";
export { scope } from "./tensor/scope.ts";
export { arange, eye, linspace } from "./tensor/sequences.ts";
export type { Shape } from "./tensor/shape.ts";
export { Tensor } from "./tensor/tensor.ts";
export type { IsLeaf, MapTree, Tree } from "./tensor/tree.ts";
export { isTensor } from "./tensor/tree.ts";
export * as tree from "./tensor/trees.ts";
export type { Pullback } from "./transforms/custom.ts";
export { customGradient } from "./transforms/custom.ts";
export { jvp } from "./transforms/forward.ts";
export { linearize } from "./transforms/linearize.ts";
export type { AuxOptions, ValueAndGradient } from "./transforms/reverse.ts";
export { grad, valueAndGrad, vjp } from "./transforms/reverse.ts";
export { hessian, hvp, jacobian } from "./transforms/second.ts";
