/**
 * Ways to estimate the gradient of a stream other than truncation, for any cell.
 *
 * @packageDocumentation
 */
export type { ForwardOptions, RandomForwardOptions } from "./estimators/forward/options.ts";
export { rtrl } from "./estimators/forward/rtrl.ts";
