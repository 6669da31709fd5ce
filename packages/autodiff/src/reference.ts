/**
 * The kernels that define what is right: slow, on ndarray and ndarray-ops. It compiles code when it
 * is imported, so it has a separate entry point.
 *
 * @packageDocumentation
 */
export { referenceKernels } from "./kernels/reference/index.ts";
