/**
 * What a model is worth, in numbers that people compare: plain numbers and arrays in, a number out.
 *
 * @packageDocumentation
 */
export { accuracy } from "./metrics/accuracy.ts";
