/**
 * The door for those who must know that a gradient is right.
 *
 * @packageDocumentation
 */
import "./ops/fluent.ts";

export type { CheckOptions, GradientMismatch, GradientReport } from "./testing/checkGradients.ts";
export { checkGradients } from "./testing/checkGradients.ts";
export type { Finding, Law, LawResult, SeedOptions } from "./testing/law.ts";
export { hold, holdAll, Report } from "./testing/law.ts";
