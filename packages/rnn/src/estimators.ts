/**
 * Ways to estimate the gradient of a stream other than truncation, for any cell.
 *
 * @packageDocumentation
 */
export {};
