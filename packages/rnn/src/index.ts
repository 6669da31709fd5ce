/**
 * Recurrent cells, unrolling and truncated back-propagation through time.
 *
 * @packageDocumentation
 */
export type { AttentionContext } from "./attention.ts";
export type {
  Cell,
  CellDefinition,
  CellSizes,
  FamilySizes,
  NoChoices,
  NoNumbers,
  ReadonlyValues,
  Values,
} from "./cell.ts";
export { defineCell } from "./cell.ts";
export * from "./cells/index.ts";
export type { ValueOptions } from "./initial.ts";
export { initialParams, initialState } from "./initial.ts";
export type { LinearCellDefinition, LinearForm, Transition } from "./linear/defineLinearCell.ts";
export { defineLinearCell } from "./linear/defineLinearCell.ts";
export { NotLoopable } from "./loop/notLoopable.ts";
export type { LoopMemory } from "./loop/options.ts";
export type { UnrollCost } from "./loop/unrollCost.ts";
export { unrollCost } from "./loop/unrollCost.ts";
export type { BidirectionalOptions, Directions, Merge } from "./models/bidirectional.ts";
export { bidirectional } from "./models/bidirectional.ts";
export type { LearnedStateParams } from "./models/learnedState.ts";
export { learnedState } from "./models/learnedState.ts";
export { sequential } from "./models/sequential.ts";
export type { StackedOptions } from "./models/stacked.ts";
export { stacked } from "./models/stacked.ts";
export type { VariationalDropoutOptions } from "./models/variationalDropout.ts";
export { variationalDropout } from "./models/variationalDropout.ts";
export type { WeightDropOptions } from "./models/weightDrop.ts";
export { weightDrop } from "./models/weightDrop.ts";
export type { ZoneoutOptions } from "./models/zoneout.ts";
export { zoneout } from "./models/zoneout.ts";
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
export type { Marks, SequenceMarks } from "./sequences/marks.ts";
export type { Noise, NoiseValues } from "./sequences/noise.ts";
export type { AdaptiveWindow } from "./truncated/adaptiveWindow.ts";
export type { CountedLoss } from "./truncated/countedLoss.ts";
export type { LiveWindow } from "./truncated/live/liveWindow.ts";
export { gatherLive, shardLive } from "./truncated/live/workers.ts";
export type {
  Losses,
  LossReduction,
  Stale,
  StreamOptions,
  TruncatedOptions,
  TruncationOptions,
} from "./truncated/options.ts";
export type { StepLoss, TimeStep } from "./truncated/step.ts";
export type { AsyncStepSource, Sequence, StepSource } from "./truncated/stream.ts";
export { truncated } from "./truncated/truncated.ts";
export type { Window } from "./truncated/window.ts";
export type { SequenceModel, Unrolled, UnrollInputs, UnrollOptions } from "./unroll.ts";
export { unroll } from "./unroll.ts";
