import type { CellRow } from "@chronograd/rnn/testing";

/** Numbers by name: those of a matrix row by row. */
export type Matrices = Readonly<Record<string, readonly (readonly number[])[]>>;
export type Vectors = Readonly<Record<string, readonly number[]>>;

/**
 * The published equations of a cell, one number at a time: the state after a step of one row, and
 * the output where that is not its `h`.
 *
 * @param p the parameters, vectors as matrices of one row
 */
export type Formula = (
  p: Matrices,
  x: readonly number[],
  state: Vectors,
  sizes: CellRow["sizes"],
) => Record<string, number[]>;

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Element `j` of the product of a row and a matrix. */
export function times(row: readonly number[], M: Matrices[string], j: number): number {
  return row.reduce((sum, value, i) => sum + value * M[i]![j]!, 0);
}

/** Element `j` of `x W + b + h U`. */
export function sum({ W, U, b }: Matrices, x: readonly number[], h: readonly number[], j: number) {
  return times(x, W!, j) + b![0]![j]! + times(h, U!, j);
}
