import type { Law } from "@chronograd/autodiff/testing";

/** What laws are about: an op, a cell, a truncated stream, a table of an oracle's numbers. */
export interface Subject {
  readonly name: string;
  /** Its group in the table. */
  readonly group: string;
  readonly laws: readonly Law[];
}
