/**
 * What is done with the scores of a model: symbols drawn, searched for, and mixed into training.
 *
 * @packageDocumentation
 */
export {
  type ScheduledSamplingOptions,
  scheduledSampling,
} from "./decode/scheduledSampling.ts";
