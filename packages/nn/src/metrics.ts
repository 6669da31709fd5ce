/**
 * What a model is worth, in numbers that people compare: plain numbers and arrays in, a number out.
 *
 * @packageDocumentation
 */
export { accuracy } from "./metrics/accuracy.ts";
export { coverage } from "./metrics/coverage.ts";
export { meanAbsoluteError } from "./metrics/meanAbsoluteError.ts";
export { rmse } from "./metrics/rmse.ts";
