/**
 * Instruments that show how far gradients reach through time, and what a truncation costs.
 *
 * @packageDocumentation
 */
export type { FlowSource, TrajectoryOptions } from "./flow/trajectory.ts";
