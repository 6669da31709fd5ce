import { holdAll, type Law, type Report } from "@chronograd/autodiff/testing";
import type { Cell } from "../../cell.ts";
import type { PlainCell } from "../draw.ts";
import { statedEquations } from "./equations.ts";
import { singlePrecision } from "./float32.ts";
import { gradientRepeats, gradients, modes } from "./gradients.ts";
import { loops } from "./loop.ts";
import { marked } from "./marks.ts";
import type { CellTestOptions } from "./options.ts";
import { parallel } from "./parallel.ts";
import { purity, repeats } from "./purity.ts";
import { reset, rowGradients, rowsApart } from "./rows.ts";
import { secondOrder } from "./second.ts";
import { shapes } from "./shapes.ts";
import { stateIsAll } from "./state.ts";
import { subjectOf } from "./subject.ts";
import { unrolls } from "./unroll.ts";

/**
 * The laws that hold for every cell, one by one: for a table of tests, or to leave one out.
 *
 * @throws for options that make no sense, and when `input` is missing and cannot be told from the
 *   cell
 *
 * @example
 * ```ts
 * import { hold } from "@chronograd/autodiff/testing";
 * import { lstm } from "@chronograd/rnn";
 * import { cellLaws } from "@chronograd/rnn/testing";
 *
 * // With Vitest: test.each(cellLaws(cell))("$name", (law) => holdAll("mine", [law]).assert());
 * const laws = cellLaws(lstm({ input: 2, hidden: 2 }));
 * laws.map(({ name }) => name).slice(0, 4); // => ["purity", "shapes", "repeats", "state is all"]
 * hold(laws[0]!)?.ok; // => true
 * ```
 */
export function cellLaws<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  options: CellTestOptions<Params, State, X> = {},
): Law[] {
  const plain = cell as unknown as PlainCell;
  const subject = subjectOf(plain, options as unknown as CellTestOptions);
  return [
    purity(subject),
    shapes(subject),
    repeats(subject),
    stateIsAll(subject),
    rowsApart(subject),
    reset(subject),
    marked(subject),
    unrolls(subject),
    loops(subject),
    parallel(subject),
    gradients(subject, 1),
    gradients(subject, subject.steps),
    gradientRepeats(subject),
    secondOrder(subject),
    ...modes(subject),
    rowGradients(subject),
    statedEquations(subject),
    singlePrecision(subject),
  ];
}

/**
 * Holds a cell to everything that unrolling, batching, truncation and optimizers rely on: shapes,
 * purity, the same results again, loops as one entry, gradients against differences and against
 * forward mode, second order, rows of a batch apart, masks and resets, float32 against float64.
 * Parameters, states and inputs are random in every element.
 *
 * @returns a report; `String(report)` says what broke and where, `report.assert()` throws that
 * @throws for options that make no sense, and when `input` is missing and cannot be told from the
 *   cell
 *
 * @example
 * ```ts
 * import { defineCell, gru } from "@chronograd/rnn";
 * import { testCell } from "@chronograd/rnn/testing";
 * import { init } from "@chronograd/nn";
 *
 * testCell(gru({ input: 2, hidden: 2 })).ok; // => true
 *
 * // A cell that forgets to differentiate through its state.
 * const broken = defineCell({
 *   params: ({ hidden }) => ({ b: init.zeros(hidden) }),
 *   state: ({ hidden }) => ({ h: init.zeros(hidden) }),
 *   step: ({ b }, x, { h }) => {
 *     const next = x.add(b).add(h.detach()).tanh();
 *     return [next, { h: next }];
 *   },
 * })({ input: 2, hidden: 2 });
 * const report = testCell(broken, { input: 2 });
 * report.laws.filter(({ ok }) => !ok)[0]?.name; // => "gradients, one step"
 * ```
 */
export function testCell<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  options: CellTestOptions<Params, State, X> = {},
): Report {
  const laws = cellLaws(cell, options);
  const { name = "cell", seed = 1, runs = 3 } = options;
  return holdAll(name, laws, { seed, runs });
}
