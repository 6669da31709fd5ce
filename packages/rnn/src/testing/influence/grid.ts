import { Tensor, tree } from "@chronograd/autodiff";
import { rowsOf } from "../../checkRows.ts";

/** The row of what all rows share. */
export const allRows = -1;
/** The step, counted from 0, of the state before the first one, and of a context. */
export const beforeAll = -1;
export const atAllSteps = -2;

/** The elements of a tensor that belong to one step and row: `[start, end)`. */
export interface Place {
  readonly step: number;
  readonly row: number;
  readonly start: number;
  readonly end: number;
}

/** A tensor of a tree, by step and row. */
export interface Part {
  readonly path: string;
  readonly x: Tensor;
  readonly places: readonly Place[];
}

/** Which steps of which rows exist and begin afresh. */
export class Grid {
  readonly steps: number;
  readonly rows: number;
  readonly #exists: Uint8Array;
  readonly #resets: ArrayLike<number>;
  /** Resets of each row up to each step. */
  readonly #counts: Int32Array;

  constructor(
    steps: number,
    rows: number,
    {
      lengths,
      mask,
      resets,
    }: {
      readonly lengths?: ArrayLike<number> | Tensor | undefined;
      readonly mask?: Tensor | undefined;
      readonly resets?: Tensor | undefined;
    },
  ) {
    this.steps = steps;
    this.rows = rows;
    const ends = numbersOf(lengths);
    const present = numbersOf(mask);
    const isBeforeEnd = (i: number) => Math.floor(i / rows) < (ends?.[i % rows] ?? steps);
    const marks = (isThere: (i: number) => boolean) =>
      Uint8Array.from({ length: steps * rows }, (_, i) => Number(isBeforeEnd(i) && isThere(i)));
    this.#exists = marks((i) => present?.[i] !== 0);
    const begins = numbersOf(resets);
    this.#resets = marks((i) => begins?.[i] === 1);
    this.#counts = Int32Array.from(this.#resets);
    for (let i = rows; i < steps * rows; i++) this.#counts[i]! += this.#counts[i - rows]!;
  }

  exists(step: number, row: number): boolean {
    return this.#exists[step * this.rows + row] === 1;
  }

  isReset(step: number, row: number): boolean {
    return this.#resets[step * this.rows + row] === 1;
  }

  /** How often a row was reset up to a step, with it. */
  resetsUpTo(step: number, row: number): number {
    return step < 0 ? 0 : this.#counts[Math.min(step, this.steps - 1) * this.rows + row]!;
  }

  /** The tensors of a tree whose leaves are `[T, B, ...]`. */
  inTime(values: unknown, name: string): Part[] {
    return tree.leavesWithPath(values).map(([path, x]) => {
      const hasRows = x.rank > 1 && x.shape[1] === this.rows;
      const rows = hasRows ? this.rows : 1;
      const size = x.size / (x.shape[0]! * rows);
      const places = Array.from({ length: x.shape[0]! * rows }, (_, i) => ({
        step: Math.floor(i / rows),
        row: hasRows ? i % rows : allRows,
        start: i * size,
        end: (i + 1) * size,
      }));
      return { path: joined(name, path), x, places };
    });
  }

  /** The tensors of a tree whose leaves are `[B, ...]`, at one step. */
  atStep(step: number, values: unknown, name: string): Part[] {
    return tree.leavesWithPath(values).map(([path, x]) => {
      const rows = x.rank > 0 && x.shape[0] === this.rows ? this.rows : 1;
      const size = x.size / rows;
      const places = Array.from({ length: rows }, (_, row) => ({
        step,
        row: rows === this.rows && x.rank > 0 ? row : allRows,
        start: row * size,
        end: (row + 1) * size,
      }));
      return { path: joined(name, path), x, places };
    });
  }

  /** The tensors of a tree that all rows and steps share. */
  whole(values: unknown, name: string): Part[] {
    return tree.leavesWithPath(values).map(([path, x]) => {
      const place = { step: atAllSteps, row: allRows, start: 0, end: x.size };
      return { path: joined(name, path), x, places: [place] };
    });
  }

  /** The inputs of a sequence: `[T, B, ...]`, or a list of steps. */
  ofInputs(inputs: Tensor | readonly unknown[]): Part[] {
    if (inputs instanceof Tensor) return this.inTime(inputs, "inputs");
    return inputs.flatMap((x, t) => this.atStep(t, x, `inputs.${t}`));
  }
}

/** Marks that are none are left to the loop, which refuses them. */
function numbersOf(marks: unknown): ArrayLike<number> | undefined {
  if (marks instanceof Tensor) return marks.toTypedArray();
  return Array.isArray(marks) ? marks : undefined;
}

function joined(name: string, path: string): string {
  return path === "" ? name : `${name}.${path}`;
}

/** Steps and rows of inputs; throws a sentence where they have none. */
export function sizesOf(inputs: Tensor | readonly unknown[]): { steps: number; rows: number } {
  const isTensor = inputs instanceof Tensor;
  const steps = isTensor ? inputs.shape[0] : Array.isArray(inputs) ? inputs.length : undefined;
  const rows = isTensor ? inputs.shape[1] : rowsOf((inputs as readonly unknown[] | undefined)?.[0]);
  if (steps !== undefined && steps > 0 && rows !== undefined) return { steps, rows };
  throw new TypeError(
    `checkInfluence: inputs must be time-major, [T, B, ...], or a list of T inputs with B rows, got ${isTensor ? `[${inputs.shape}]` : Array.isArray(inputs) ? `a list of ${inputs.length}` : String(inputs)}`,
  );
}
