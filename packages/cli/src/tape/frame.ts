import { type Column, columnOf, letter, nameOfState } from "./columns.ts";
import type { RecordedSteps } from "./record.ts";

/** Where the columns stand. */
export interface Frame {
  readonly columns: readonly Column[];
  /** The left edge of each column, and the right edge of the last gutter. */
  readonly lefts: readonly number[];
  /** The left edge of the gutter before each column, from the initial state on. */
  readonly gutters: readonly number[];
  readonly width: number;
  y(rank: number): number;
}

export const boxHeight = 26;
const rankGap = 50;
export const top = 118;
export const barHeight = 20;
export const barGap = 7;
/** Room for the cut; lanes of the states come behind it. */
export const cutRoom = 22;
export const laneGap = 12;

/** A number with few digits. */
export const fix = (value: number): string => String(Number(value.toFixed(1)));

/** `12` as a subscript. */
export const subscript = (n: number): string =>
  String(n).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]!);

/** Columns side by side, with gutters for the states that pass between them. */
export function frameOf(recorded: RecordedSteps): Frame {
  const columns = recorded.steps.map((_, i) => columnOf(recorded, i + 1));
  const lanes = Math.max(1, ...recorded.states.map((state) => state.length));
  // The names of the initial state stand at the left edge.
  const names = Math.max(...recorded.states[0]!.map(([path]) => nameOfState(path).length), 1);
  const gutter = cutRoom + 14 + lanes * laneGap;
  const lefts: number[] = [];
  const gutters: number[] = [];
  let x = 12 + names * letter;
  for (const { layout } of columns) {
    gutters.push(x);
    x += gutter;
    lefts.push(x);
    x += layout.width;
  }
  const ranks = Math.max(...columns.map(({ layout }) => layout.ranks));
  return {
    columns,
    lefts,
    gutters,
    width: x + 24,
    y: (rank) => top + (ranks - 1 - rank) * rankGap + boxHeight / 2,
  };
}
