import type { PlainCell } from "../modules/loadCell.ts";
import type { Section } from "../report.ts";
import type { Task } from "../training/task.ts";
import type { LookedAt } from "./stretch.ts";

/** What instruments look at: a model on a stretch of data. */
export interface Subject extends LookedAt {
  readonly model: PlainCell;
  readonly params: never;
  readonly loss: Task["loss"];
  /** Those that the model was trained with. */
  readonly k1: number;
  readonly k2: number;
  /** The relative bias that a window may have. */
  readonly tolerance: number;
  readonly seed: number;
}

/** What an instrument has found. */
export interface Found {
  /** Plain values. */
  readonly data: object;
  /** Lines for the user, where it has something to say in words. */
  readonly lines: readonly string[];
  readonly sections: readonly Section[];
}

/** Looks at a model. Throws a sentence for a model that it cannot look at. */
export type Instrument = (subject: Subject) => Found;
