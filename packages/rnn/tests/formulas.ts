import { readdirSync } from "node:fs";
import { flatten, map, type Tensor, tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { stream } from "@chronograd/nn";
import { initialParams, initialState } from "@chronograd/rnn";
import type { CellRow } from "@chronograd/rnn/testing";

/** Numbers by name: those of a matrix row by row. */
type Matrices = Readonly<Record<string, readonly (readonly number[])[]>>;
type Vectors = Readonly<Record<string, readonly number[]>>;

/**
 * The published equations of a cell, one number at a time: the state after a step of one row. Its `h` is the output.
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

const formulas = new Map<string, Formula>();
for (const file of readdirSync(new URL("cells", import.meta.url))) {
  const family = file.replace(/\.ts$/, "");
  const { formula } = (await import(`./cells/${family}.ts`)) as { formula: Formula };
  formulas.set(family, formula);
}

function rowsOf(x: Tensor): number[][] {
  return x.reshape([-1, x.shape.at(-1)!]).toArray() as number[][];
}

/** A step of a cell is its formula, from random parameters and states; nothing for a cell without one. */
export function formulaLaws(row: CellRow): Law[] {
  const { family, sizes, make, input } = row;
  const formula = formulas.get(family);
  if (formula === undefined) return [];
  const law: Law = {
    name: "formula",
    statement: "one step is the published formula, number by number, with gates in PyTorch's order",
    bound: 1e-12,
    measure(seed) {
      const random = stream(seed, "formula");
      const batch = random.integer(1, 4);
      const normal = ({ shape, size }: Tensor) =>
        tensor(
          Float64Array.from({ length: size }, () => random.normal()),
          { shape },
        );
      const cell = make();
      const params = map(initialParams(cell, stream(1)), normal);
      const state = map(initialState(cell, batch), normal);
      const x = input(random, batch);
      const [output, next] = cell.step(params, x, state);
      const named = (tree: unknown) =>
        Object.fromEntries(flatten(tree).map(([path, leaf]) => [path, rowsOf(leaf)]));
      const [weights, before, after] = [params, state, next].map(named);
      let [error, cases, what] = [0, 0, ""];
      for (const [i, xs] of rowsOf(x).entries()) {
        const rowOf = (rows: Matrices) =>
          Object.fromEntries(Object.entries(rows).map(([name, all]) => [name, all[i]!]));
        const expected = formula(weights!, xs, rowOf(before!), sizes);
        const found = { ...rowOf(after!), output: rowsOf(output)[i]! };
        for (const [name, values] of Object.entries({ ...expected, output: expected.h! })) {
          for (const [j, value] of values.entries()) {
            cases++;
            const off =
              Math.abs((found as Vectors)[name]![j]! - value) / Math.max(1, Math.abs(value));
            if (off <= error) continue;
            error = off;
            what = `${name}[${i},${j}] is ${(found as Vectors)[name]![j]}, by the formula ${value}`;
          }
        }
      }
      return { error, cases, what };
    },
  };
  return [law];
}
