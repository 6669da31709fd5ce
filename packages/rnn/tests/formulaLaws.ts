import { readdirSync } from "node:fs";
import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { initialParams, initialState } from "@chronograd/rnn";
import type { CellRow } from "@chronograd/rnn/testing";
import type { Formula, Matrices, Vectors } from "./formula.ts";

const formulas = new Map<string, Formula>();
for (const file of readdirSync(new URL("cells", import.meta.url))) {
  const family = file.replace(/\.ts$/, "");
  const { formula } = (await import(`./cells/${family}.ts`)) as { formula: Formula };
  formulas.set(family, formula);
}

function rowsOf(x: Tensor): number[][] {
  return x.reshape([-1, x.shape.at(-1)!]).toArray() as number[][];
}

/**
 * A step of a cell is its formula, from random parameters and states; nothing for a cell without
 * one.
 */
export function formulaLaws(row: CellRow): Law[] {
  const { family, sizes, make, input } = row;
  const formula = formulas.get(family);
  if (formula === undefined) return [];
  const law: Law = {
    name: "formula",
    statement: "one step is the published formula, number by number, with gates in PyTorch's order",
    bound: 1e-12,
    measure(seed) {
      const random = rng(seed, "formula");
      const batch = random.integer(1, 4);
      const normal = ({ shape, size }: Tensor) =>
        tensor(
          Float64Array.from({ length: size }, () => random.normal()),
          { shape },
        );
      const cell = make();
      const params = tree.map(initialParams(cell, rng(1)), normal);
      const state = tree.map(initialState(cell, batch), normal);
      const x = input(random, batch);
      const [output, next] = cell.step(params, x, state);
      const named = (nested: unknown) =>
        Object.fromEntries(tree.leavesWithPath(nested).map(([path, leaf]) => [path, rowsOf(leaf)]));
      const [weights, before, after] = [params, state, next].map(named);
      let [error, cases, what] = [0, 0, ""];
      for (const [i, xs] of rowsOf(x).entries()) {
        const rowOf = (rows: Matrices) =>
          Object.fromEntries(Object.entries(rows).map(([name, all]) => [name, all[i]!]));
        const expected = formula(weights!, xs, rowOf(before!), sizes);
        const found = { ...rowOf(after!), output: rowsOf(output)[i]! };
        for (const [name, values] of Object.entries({ output: expected.h!, ...expected })) {
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
