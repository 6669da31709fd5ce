import { allRows, atAllSteps, beforeAll, type Grid } from "./grid.ts";

/** What must not matter: the heading of a part of the report. */
export type InfluenceKind =
  | "other rows"
  | "padding"
  | "before a reset"
  | "later inputs"
  | "earlier calls";

/** A set of places whose values change together, and what they may reach. */
export interface Change {
  readonly kind: InfluenceKind;
  /** Whether the place changes. */
  has(step: number, row: number): boolean;
  /** Whether this change is to show something about a result; `steps` is that of the last state. */
  concerns(step: number, row: number): boolean;
}

/** The changes of a batch after which something must stay as it was. */
export function changesOf(grid: Grid, isCausal: boolean): Change[] {
  const { steps, rows } = grid;
  const changes: Change[] = [];
  for (let row = 0; row < rows && rows > 1; row++) {
    changes.push({
      kind: "other rows",
      has: (_, other) => other !== row && other !== allRows,
      concerns: (_, own) => own === row || own === allRows,
    });
  }
  const isPadding = (step: number, row: number) =>
    step >= 0 && row !== allRows && !grid.exists(step, row);
  const places = Array.from({ length: steps * rows }, (_, i) => [Math.floor(i / rows), i % rows]);
  if (places.some(([step, row]) => isPadding(step!, row!))) {
    changes.push({ kind: "padding", has: isPadding, concerns: () => true });
  }
  const resets = Array.from({ length: rows }, (_, row) => grid.resetsUpTo(steps - 1, row));
  for (let k = 1; k <= Math.max(...resets); k++) {
    const isAfter = (step: number, row: number) => grid.resetsUpTo(step, row) >= k;
    changes.push({
      kind: "before a reset",
      has: (step, row) =>
        row !== allRows && step !== atAllSteps && resets[row]! >= k && !isAfter(step, row),
      concerns: (step, row) => row !== allRows && isAfter(step, row),
    });
  }
  for (let cut = 0; isCausal && cut < steps - 1; cut++) {
    changes.push({
      kind: "later inputs",
      has: (step) => step > cut,
      concerns: (step) => step <= cut,
    });
  }
  return changes;
}

/** One row of a change, or one place. */
export function narrowed(change: Change, row: number, step?: number): Change {
  return {
    ...change,
    has: (s, r) => r === row && (step === undefined || s === step) && change.has(s, r),
  };
}

/** Which results may differ after a change. */
export class Cone {
  readonly #change: Change;
  readonly #rows: number;
  readonly #steps: number;
  /** By step and row; the last step is that of the final state. */
  readonly #reached: Uint8Array;

  constructor(grid: Grid, change: Change, isCausal: boolean) {
    const { steps, rows } = grid;
    this.#change = change;
    this.#steps = steps;
    this.#rows = rows;
    this.#reached = new Uint8Array((steps + 1) * rows);
    for (let row = 0; row < rows; row++) this.#fill(grid, change, row, isCausal);
  }

  /** From the state before the first step along time, and without causality backwards too. */
  #fill(grid: Grid, change: Change, row: number, isCausal: boolean): void {
    const { steps } = grid;
    const isShared = (step: number) => change.has(step, allRows);
    const always = change.has(atAllSteps, row) || (!isCausal && change.has(beforeAll, row));
    const reach = (step: number) => {
      this.#reached[step * this.#rows + row] = 1;
    };
    let isDirty = change.has(beforeAll, row);
    for (let t = 0; t < steps; t++) {
      if (grid.isReset(t, row)) isDirty = false;
      if (!grid.exists(t, row)) continue;
      isDirty ||= change.has(t, row) || isShared(t);
      if (isDirty || always) reach(t);
    }
    let isAny = isDirty || always;
    isDirty = false;
    for (let t = steps - 1; t >= 0 && !isCausal; t--) {
      if (grid.exists(t, row)) {
        isDirty ||= change.has(t, row) || isShared(t);
        if (isDirty) reach(t);
        isAny ||= isDirty;
      }
      if (grid.isReset(t, row)) isDirty = false;
    }
    if (isAny) reach(steps);
  }

  /**
   * What all rows share must stay where one row must; steps from `steps` on are the final state.
   */
  has(step: number, row: number): boolean {
    const at = Math.min(step, this.#steps) * this.#rows;
    if (row !== allRows) return this.#reached[at + row] === 1;
    return this.#reached.subarray(at, at + this.#rows).every((reached) => reached === 1);
  }
  /** Whether a result must stay as it is, and is to be looked at. */
  holds(step: number, row: number): boolean {
    return this.#change.concerns(step, row) && !this.has(step, row);
  }
}
