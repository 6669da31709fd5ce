import type { Rng } from "@chronograd/nn";
import type { Sequence, StepLoss, TimeStep } from "@chronograd/rnn";
import type { PlainCell } from "../modules/loadCell.ts";
import type { Section } from "../report.ts";

/** What data come in: a time step of all rows, or a whole sequence, whose rows begin afresh. */
export type Item = TimeStep<unknown, unknown> | Sequence;

/** A time step as `truncated` takes it. */
export type Step = TimeStep<unknown, unknown>;

/** Data that a model was not trained on. */
export interface HeldOut {
  items(): Iterable<Item>;
  /** Time steps at the beginning that only warm up the state. */
  readonly burnIn: number;
}

/** What a model reads, and how long its outputs are. */
export interface Interface {
  /** A row of numbers, or one of so many tokens. */
  readonly input: { readonly size: number } | { readonly tokens: number };
  /** Without it, the outputs are those of the cell. */
  readonly output?: number;
}

/** A model, and what it has learnt. */
export interface Trained {
  readonly model: PlainCell;
  readonly params: never;
}

/** A figure of the result, as `io.result` has it. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  readonly better: "lower" | "higher";
  readonly baselines: Readonly<Record<string, number>>;
}

/** What a task shows of a trained model. */
export interface Findings {
  /** Lines for the user. */
  readonly lines: readonly string[];
  /** Parts of the report. */
  readonly sections: readonly Section[];
}

/** How good a trained model is on all of what is held out. */
export interface Evaluation extends Findings {
  /** The mean loss; nothing where nothing is held out. */
  readonly loss: number | undefined;
  readonly figures: readonly Figure[];
}

/** How much of what is held out is read. */
export interface Stretch {
  readonly steps: number;
  readonly rows: number;
}

/** What there is to learn. The training of every task is one and the same. */
export interface Task {
  /** A name for titles, such as "Moby Dick": no path. */
  readonly title: string;
  /** A line about the data. */
  readonly description: string;
  /** Tells one set of data from another. */
  readonly digest: string;
  readonly interface: Interface;
  /** Hidden units where nothing else is asked for. */
  readonly hidden: number;
  /** What a mean loss is measured in: "nats per character". */
  readonly unit: string;
  /** What the tokens of a loss are, in the plural: "characters". */
  readonly tokens: string;
  /** From item `position` on. */
  stream(position: number): Iterable<Item>;
  readonly loss: StepLoss<never, never>;
  /** A small part of what is held out, which is measured while a model trains. */
  readonly estimate: HeldOut | undefined;
  /**
   * What is held out, from its first time step on; nothing where nothing is. It is read at up to
   * `rows` places side by side: as many as leave `steps` time steps to each. A module decides on
   * the rows itself.
   */
  heldOut(size: Stretch): Iterable<Item> | undefined;
  /** What a run folder must know to use the model without the data: plain values. */
  readonly kept: Readonly<Record<string, unknown>>;
  evaluate(trained: Trained): Evaluation;
  /** What the model itself makes up, where it can. */
  sample?(trained: Trained, random: Rng): Findings;
}
