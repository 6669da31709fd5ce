/**
 * Recurrent cells, unrolling and truncated back-propagation through time.
 *
 * @packageDocumentation
 */
export type {
  Cell,
  CellDefinition,
  CellSizes,
  FamilySizes,
  NoChoices,
  ReadonlyValues,
  ValueOptions,
  Values,
} from "./cell.ts";
export { defineCell, initialParams, initialState } from "./cell.ts";
export * from "./cells/index.ts";
export type { LaneSequence } from "./sequences/laneSequence.ts";
export type {
  AsyncLanes,
  LaneStep,
  Lanes,
  LanesOptions,
  LanesState,
  SequenceSource,
} from "./sequences/lanes.ts";
export { lanes } from "./sequences/lanes.ts";
export { sequential } from "./sequential.ts";
export type {
  Losses,
  LossReduction,
  Stale,
  StreamOptions,
  TruncatedOptions,
  TruncationOptions,
} from "./truncated/options.ts";
export type { Sequence, StepSource } from "./truncated/source.ts";
export type { CountedLoss, StepLoss, TimeStep } from "./truncated/step.ts";
export { truncated } from "./truncated/truncated.ts";
export type { Window } from "./truncated/window.ts";
export type { Unrolled, UnrollOptions } from "./unroll.ts";
export { unroll } from "./unroll.ts";
