/**
 * What `chronograd train` does, for programs: a task, a model, and the loop that trains it.
 *
 * @module
 */
/// <reference types="node" />
export { type HeldOutLoss, heldOutLoss } from "./training/evaluate.ts";
export { type Job, type Outcome, train } from "./training/loop.ts";
export type { Metrics } from "./training/metrics.ts";
export { modelOf } from "./training/model.ts";
export { type TrainOptions, trainOptions } from "./training/options.ts";
export type {
  Evaluation,
  Figure,
  HeldOut,
  Interface,
  Stretch,
  Task,
  Trained,
} from "./training/task.ts";
