import type { Site } from "@chronograd/autodiff/testing";
import type { InfluenceKind } from "./changes.ts";

/** Something that depends on what must not matter. */
export interface Influence {
  readonly kind: InfluenceKind;
  /** What depends: `"the output"`, `"the last state.h"`, `"the gradient by params.W"`. */
  readonly of: string;
  /** Its row and its step from 1; `undefined` where it has none, as a parameter. */
  readonly row: number | undefined;
  readonly t: number | undefined;
  /** The rows that it depends on, as far as that could be told. */
  readonly rows: readonly number[];
  /** The op by which it comes, where one was found. */
  readonly site: Site | undefined;
  /** All of it as a sentence. */
  readonly message: string;
}

/** What was found of one kind. */
export interface InfluenceResult {
  readonly kind: InfluenceKind;
  /** Sets of values that were changed; 0 where the batch has nothing of the kind. */
  readonly changes: number;
  /** Numbers compared. */
  readonly cases: number;
  readonly influences: readonly Influence[];
}

/** Why a batch has nothing of a kind. */
const absent: Readonly<Record<InfluenceKind, string>> = {
  "other rows": "the batch has one row",
  padding: "the batch has no padding: give lengths or a mask",
  "before a reset": "the batch has no resets",
  "later inputs": "there is no later step, or causal is false",
  "earlier calls": "",
};

/** What `checkInfluence` found. */
export class InfluenceReport {
  readonly subject: string;
  /** Rows of the batch, and time steps. */
  readonly rows: number;
  readonly steps: number;
  readonly results: readonly InfluenceResult[];

  constructor(subject: string, rows: number, steps: number, results: readonly InfluenceResult[]) {
    this.subject = subject;
    this.rows = rows;
    this.steps = steps;
    this.results = results;
  }

  /** Whether nothing was found to depend on what must not matter. */
  get ok(): boolean {
    return this.results.every(({ influences }) => influences.length === 0);
  }

  /** All that was found, of every kind. */
  get influences(): readonly Influence[] {
    return this.results.flatMap(({ influences }) => influences);
  }

  /** Throws an error with the report's text unless nothing was found. */
  assert(): void {
    if (!this.ok) throw new Error(this.toString());
  }

  /** One line for each kind, and below it what depends and by which op. */
  toString(): string {
    const { length } = this.influences;
    const verdict = this.ok ? "nothing leaks" : counted(length, "leak");
    const lines = this.results.flatMap(({ kind, changes, cases, influences }) => {
      const word = influences.length > 0 ? "LEAKS" : changes > 0 ? "ok   " : "none ";
      const what =
        changes > 0 ? `${counted(changes, "change")}, ${counted(cases, "number")}` : absent[kind];
      return [
        `  ${word} ${kind.padEnd(14)}  ${what}`,
        ...influences.map(({ message }) => `    ${message}`),
      ];
    });
    return [
      `${this.subject}, ${counted(this.rows, "row")}, ${counted(this.steps, "step")}: ${verdict}`,
      ...lines,
    ].join("\n");
  }
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
