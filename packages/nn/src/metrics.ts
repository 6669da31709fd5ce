/**
 * What models are judged by: plain numbers and arrays in, a number out.
 *
 * @packageDocumentation
 */
export { accuracy } from "./metrics/accuracy.ts";
export { bitsPerSymbol } from "./metrics/bitsPerSymbol.ts";
export { coverage } from "./metrics/coverage.ts";
export { editDistance } from "./metrics/editDistance.ts";
export { errorRate } from "./metrics/errorRate.ts";
export { meanAbsoluteError } from "./metrics/meanAbsoluteError.ts";
export { perplexity } from "./metrics/perplexity.ts";
export { rmse } from "./metrics/rmse.ts";
