/**
 * Forecasts of equally spaced series, and the baselines that they have to beat.
 *
 * @module
 */
/// <reference types="node" />
export {
  type Autoregression,
  type AutoregressionOptions,
  autoregression,
} from "./forecast/autoregression.ts";
export { type Band, type BandsOptions, bands, type Point } from "./forecast/bands.ts";
export { combined } from "./forecast/combined.ts";
export {
  type CompareOptions,
  type Comparison,
  compare,
  type Scored,
} from "./forecast/compare.ts";
export {
  type ConformalOptions,
  conformal,
  type Interval,
  type Predicted,
} from "./forecast/conformal.ts";
export { findSeason } from "./forecast/findSeason.ts";
export type { Forecaster } from "./forecast/forecaster.ts";
export { type HoltWinters, holtWinters, type Smoothing } from "./forecast/holtWinters.ts";
export { type Recurrent, type RecurrentOptions, recurrent } from "./forecast/recurrent.ts";
export { seasonalNaive } from "./forecast/seasonalNaive.ts";
