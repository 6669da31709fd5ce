/**
 * Ways to estimate the gradient of a stream other than truncation, for any cell.
 *
 * @packageDocumentation
 */
export { type ArtbpOptions, artbp } from "./estimators/artbp.ts";
export { compareEstimators } from "./estimators/compareEstimators.ts";
export type {
  ComparedWindow,
  CompareOptions,
  EstimatorComparison,
  EstimatorRow,
  EstimatorWindows,
  FullGradient,
  NamedEstimator,
  SharedOptions,
} from "./estimators/comparison.ts";
export type { CutProbability, RandomCuts } from "./estimators/cuts.ts";
export { type EpropOptions, eprop } from "./estimators/forward/eprop.ts";
export { kfRtrl } from "./estimators/forward/kfRtrl.ts";
export type { ForwardOptions, RandomForwardOptions } from "./estimators/forward/options.ts";
export { rtrl } from "./estimators/forward/rtrl.ts";
export { type SnapOptions, snap } from "./estimators/forward/snap.ts";
export { uoro } from "./estimators/forward/uoro.ts";
export type { NewtonOptions } from "./estimators/newtonOptions.ts";
export {
  type NewtonReport,
  type NewtonUnrolled,
  unrollByNewton,
} from "./estimators/unrollByNewton.ts";
