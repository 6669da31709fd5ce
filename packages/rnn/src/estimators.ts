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
