/**
 * From what a model puts out to sequences of tokens: sampling, and beam search.
 *
 * @packageDocumentation
 */
export { type BeamSearchOptions, type BeamStep, beamSearch } from "./decode/beamSearch.ts";
export { type ContinuationsOptions, continuations } from "./decode/continuations.ts";
export { type CtcAlignment, ctcAlignment } from "./decode/ctcAlignment.ts";
export { type CtcBeamOptions, type CtcHypothesis, ctcBeamSearch } from "./decode/ctcBeamSearch.ts";
export { ctcGreedy } from "./decode/ctcGreedy.ts";
export type { CtcRowOptions } from "./decode/ctcRows.ts";
export { type GenerateOptions, generate } from "./decode/generate.ts";
export type { Hypothesis } from "./decode/hypothesis.ts";
export type { LengthPenalty } from "./decode/lengthPenalty.ts";
export { type Sampler, type SamplerOptions, sampler } from "./decode/sampler.ts";
export {
  type ScheduledSamplingOptions,
  scheduledSampling,
} from "./decode/scheduledSampling.ts";
