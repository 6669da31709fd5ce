import type { RngState, SgdState } from "@chronograd/nn";
import type { LiveWindow } from "@chronograd/rnn";
import type { Kept } from "../tasks/taskOf.ts";
import type { OptimizerState } from "./optimizer.ts";
import type { RankParts } from "./parts.ts";
import type { Place } from "./source.ts";

/** What the folder of a training run is of. */
export const kind = "train";

/** All that a run needs to go on, beside its options. */
export interface Checkpoint {
  /** What the model needs of its data. */
  readonly task: Kept;
  /** Tells one set of data from another. */
  readonly digest: string;
  /** Of training, so far. */
  readonly seconds: number;
  readonly windows: number;
  /** Seconds after which the training is over; null where a number of windows decides. */
  readonly end: number | null;
  readonly params: never;
  /** Of the first rank, where each has its own; so are the noise and the live window. */
  readonly optimizer: OptimizerState;
  /** The generator of what the model draws; null for a model without noise. */
  readonly noise: RngState | null;
  /** Where the stream of windows is; null before the first of them, and after the last. */
  readonly live: LiveWindow | null;
  /** Where the data are. */
  readonly place: Place;
  /** What is known of each rank, where they are not alike. */
  readonly apart?: RankParts;
  /** With local updates, the state of the outer optimizer. */
  readonly outer?: SgdState;
  /** Whether the data have ended. */
  readonly over: boolean;
}
