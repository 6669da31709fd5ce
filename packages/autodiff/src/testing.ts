/**
 * The entry point for those who must know that a gradient is right.
 *
 * @packageDocumentation
 */
import "./ops/fluent.ts";

export type { FindNonFiniteOptions, NonFinite } from "./passes/findNonFinite.ts";
export type { Site } from "./passes/site.ts";
export type { SourceLine } from "./tape/origin.ts";
export type { Blame } from "./testing/blame.ts";
export type { CheckOptions } from "./testing/checkGradients.ts";
export { checkGradients } from "./testing/checkGradients.ts";
export type { RuleCheck, RuleCheckOptions, RuleFault } from "./testing/checkTape.ts";
export { checkTape } from "./testing/checkTape.ts";
export type { Differences } from "./testing/differences.ts";
export { differences } from "./testing/differences.ts";
export { findNonFinite } from "./testing/findNonFinite.ts";
export type { FunctionLawOptions } from "./testing/functionLaws.ts";
export { functionLaws } from "./testing/functionLaws.ts";
export type { GradientMismatch } from "./testing/gradientReport.ts";
export { GradientReport } from "./testing/gradientReport.ts";
export type { Finding, Law, LawResult, SeedOptions } from "./testing/law.ts";
export { hold, holdAll, Report } from "./testing/law.ts";
export type { OpLawOptions } from "./testing/op.ts";
export { opLaws, testOp } from "./testing/op.ts";
export { checkSettings } from "./testing/settings.ts";
export type { Numeric } from "./testing/verdict.ts";
export { derivativeError } from "./testing/verdict.ts";
