/**
 * Instruments that show how far gradients reach through time, and what a truncation costs.
 *
 * @packageDocumentation
 */
export type { Estimate, GradientBias } from "./flow/gradientBias.ts";
export type { FlowSource, TrajectoryOptions } from "./flow/trajectory.ts";
export type {
  TruncationBias,
  TruncationBiasOptions,
  WindowBias,
} from "./flow/truncationBias.ts";
export { truncationBias } from "./flow/truncationBias.ts";
