/**
 * Instruments that show how far gradients reach through time, and what a truncation costs.
 *
 * @packageDocumentation
 */

export type { Adaptive, AdaptiveOptions, AdaptiveState } from "./flow/adaptive.ts";
export { adaptive } from "./flow/adaptive.ts";
export type { CheckedStretch, ChooseWindowOptions, ChosenWindow } from "./flow/chooseWindow.ts";
export { chooseWindow } from "./flow/chooseWindow.ts";
export type { DeadLeaf, DeadUnits, DeadUnitsOptions } from "./flow/deadUnits.ts";
export { deadUnits } from "./flow/deadUnits.ts";
export type { Decay } from "./flow/decay.ts";
export type { Complex } from "./flow/schur.ts";
export type {
  EffectiveMemory,
  EffectiveMemoryOptions,
  LeafMemory,
} from "./flow/effectiveMemory.ts";
export { effectiveMemory } from "./flow/effectiveMemory.ts";
export type { FixedPoint, FixedPointOptions, FixedPoints } from "./flow/fixedPoints.ts";
export { fixedPoints } from "./flow/fixedPoints.ts";
export type {
  GateSaturation,
  GateSaturationOptions,
  SaturatedGate,
} from "./flow/gateSaturation.ts";
export { gateSaturation } from "./flow/gateSaturation.ts";
export type { Estimate, GradientBias } from "./flow/gradientBias.ts";
export type { FlossingOptions } from "./flow/gradientFlossing.ts";
export { gradientFlossing } from "./flow/gradientFlossing.ts";
export type {
  JacobianSpectrum,
  JacobianSpectrumOptions,
  StepSpectrum,
} from "./flow/jacobianSpectrum.ts";
export { jacobianSpectrum } from "./flow/jacobianSpectrum.ts";
export type { LagMatrix, LagMatrixOptions } from "./flow/lagMatrix.ts";
export { lagMatrix } from "./flow/lagMatrix.ts";
export type { LagMeans } from "./flow/lagSamples.ts";
export type { FlowLossOptions } from "./flow/lossAt.ts";
export type {
  LyapunovOptions,
  LyapunovSpectrum,
  RowLyapunov,
  RunningLyapunov,
} from "./flow/lyapunovSpectrum.ts";
export { lyapunovSpectrum } from "./flow/lyapunovSpectrum.ts";
export type { ClipRatio, ObservedClipState } from "./flow/observedClip.ts";
export { clipRatio, observedClip } from "./flow/observedClip.ts";
export type { Reach } from "./flow/reach.ts";
export type { RowSpectrum } from "./flow/rowSpectra.ts";
export type { StateGradients, StateGradientsOptions } from "./flow/stateGradients.ts";
export { stateGradients } from "./flow/stateGradients.ts";
export type { FlowSource, TrajectoryOptions } from "./flow/trajectory.ts";
export type { TruncationBias, TruncationBiasOptions, WindowBias } from "./flow/truncationBias.ts";
export { truncationBias } from "./flow/truncationBias.ts";
export type { UpdateToWeightRatio } from "./flow/updateToWeightRatio.ts";
export { updateToWeightRatio } from "./flow/updateToWeightRatio.ts";
export type { Verdict, VerdictOptions } from "./flow/verdict.ts";
export { verdict } from "./flow/verdict.ts";
export type { VisitedOptions } from "./flow/visitedStates.ts";
export { visitedStates } from "./flow/visitedStates.ts";
