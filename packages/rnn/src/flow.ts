/**
 * Instruments that show how far gradients reach through time, and what a truncation costs.
 *
 * @packageDocumentation
 */
export type { Complex } from "./flow/dense.ts";
export type { FixedPoint, FixedPointOptions, FixedPoints } from "./flow/fixedPoints.ts";
export { fixedPoints } from "./flow/fixedPoints.ts";
export type { FlossingOptions } from "./flow/gradientFlossing.ts";
export { gradientFlossing } from "./flow/gradientFlossing.ts";
export type {
  JacobianSpectrum,
  JacobianSpectrumOptions,
  RowSpectrum,
  StepSpectrum,
} from "./flow/jacobianSpectrum.ts";
export { jacobianSpectrum } from "./flow/jacobianSpectrum.ts";
export type {
  LyapunovOptions,
  LyapunovSpectrum,
  RowLyapunov,
  RunningLyapunov,
} from "./flow/lyapunovSpectrum.ts";
export { lyapunovSpectrum } from "./flow/lyapunovSpectrum.ts";
export type { FlowSource, TrajectoryOptions } from "./flow/trajectory.ts";
export type { Verdict, VerdictOptions } from "./flow/verdict.ts";
export { verdict } from "./flow/verdict.ts";
