import type { Change } from "./changes.ts";
import type { Culprit } from "./culprit.ts";
import type { Fill } from "./fills.ts";
import { allRows } from "./grid.ts";

/** What depends, with its row and step. */
export function subject(of: string, row: number, t: number | undefined): string {
  return `${of}${row === allRows ? "" : ` of row ${row}`}${t === undefined ? "" : ` at step ${t}`}`;
}

/** What it depends on. */
export function cause({ kind }: Change, row: number | undefined, step: number | undefined): string {
  const own = row === undefined ? "" : ` of row ${row}`;
  const at = step === undefined ? "" : step < 0 ? " before the first step" : ` at step ${step + 1}`;
  switch (kind) {
    case "other rows":
      return row === undefined ? "depends on other rows" : `depends on row ${row}${at}`;
    case "padding":
      return `depends on the padding${own}${at}`;
    case "before a reset":
      return `depends on what lies before a reset${own}${at}`;
    case "later inputs":
      return `depends on a later input${own}${at}`;
    case "earlier calls":
      return "differs between two runs on the same values: it depends on what an earlier call left behind";
  }
}

/** What stood there, unless values like those of the batch. */
export function when({ words }: Fill): string {
  return words === "" ? "" : ` when ${words}`;
}

/** By which op. */
export function by(culprit: Culprit | undefined): string {
  return culprit === undefined
    ? "; no op on the tape shows how, so look for values that leave it (toArray, item) or are kept outside"
    : `: ${culprit.words}`;
}
