/**
 * Instruments that show how far gradients reach through time, and what a truncation costs.
 *
 * @packageDocumentation
 */
export type { FixedPoint, FixedPointOptions, FixedPoints } from "./flow/fixedPoints.ts";
export { fixedPoints } from "./flow/fixedPoints.ts";
export type { FlossingOptions } from "./flow/gradientFlossing.ts";
export { gradientFlossing } from "./flow/gradientFlossing.ts";
export type {
  JacobianSpectrum,
  JacobianSpectrumOptions,
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
export type { RowSpectrum } from "./flow/rowSpectra.ts";
export type { Complex } from "./flow/schur.ts";
export type { FlowSource, TrajectoryOptions } from "./flow/trajectory.ts";
export type { Verdict, VerdictOptions } from "./flow/verdict.ts";
export { verdict } from "./flow/verdict.ts";
export type { VisitedOptions } from "./flow/visitedStates.ts";
export { visitedStates } from "./flow/visitedStates.ts";
