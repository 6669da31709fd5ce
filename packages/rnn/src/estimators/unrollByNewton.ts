import { customGradient, scope, stack, type Tensor, tensor, tree, vjp } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { checkRows } from "../checkRows.ts";
import { checkState } from "../checkState.ts";
import { repeatedRows, treeRows } from "../derivatives/rows.ts";
import { rowsTree, rowsVector } from "../derivatives/vectors.ts";
import { stepOf, stepsOf } from "../loop/sequence.ts";
import { prepared } from "../prepareUnroll.ts";
import type { Unrolled, UnrollInputs } from "../unroll.ts";
import { checkAlone } from "./checkAlone.ts";
import { type Bounds, boundsOf, checkNewton, type NewtonOptions } from "./newtonOptions.ts";
import { type Arguments, WholeSequence } from "./wholeSequence.ts";

const where = "unrollByNewton";

/** How the iterations went. */
export interface NewtonReport {
  readonly iterations: number;
  /** Before each iteration, the largest `|F_t(h_{t-1}) - h_t|`; Infinity where a number is none. */
  readonly residuals: readonly number[];
}

/**
 * What `unroll` returns where the iterations converged; nothing but a report where they did not.
 */
export type NewtonUnrolled<State, Y> =
  | (NewtonReport & Unrolled<State, Y> & { readonly converged: true })
  | (NewtonReport & {
      readonly converged: false;
      readonly outputs?: never;
      readonly state?: never;
    });

/**
 * Runs a cell over a sequence without running its steps one after the other: Newton's method for
 * all states at once (Lim, Zhu, Selfridge & Kasim 2024, "Parallelizing non-linear sequential models
 * over the sequence length": DEER).
 *
 * The states solve the equations `h_t = F_t(h_{t-1})`. From a guess of all of them, every F_t and
 * its Jacobian J_t are computed at once, as T B rows of one batch, and the corrections solve a
 * linear recurrence, `d_t = J_t d_{t-1} + (F_t(h_{t-1}) - h_t)`. Steps of contractive cells
 * converge in a few iterations; after n iterations the first n states are right whatever the cell,
 * so that T iterations always do (Gonzalez, Warrington, Smith & Linderman 2024, "Towards scalable
 * and stable parallelization of nonlinear RNNs"), whose reset of numbers that overflow is done here
 * too. The gradient, by parameters, inputs and the state before, is that of the solution: the
 * adjoint recurrence `g_t + J_{t+1}' l_{t+1}` backwards, with no tape over the steps. With the
 * loops it shares the step and its marks, but neither the run over time nor the sweep back, so that
 * each is an oracle of the other. The recurrences run step by step here: it is no faster than
 * `unroll`, and an iteration costs H pullbacks of T B rows and T B H^2 numbers.
 *
 * @param cell the cell; one that draws noise runs without
 * @param inputs as `unroll` takes them
 * @returns `converged`, the number of iterations and their residuals; where they converged,
 *   `outputs` and `state` as `unroll` gives them
 * @throws for a step that gives something else alone than among the rows of all steps; for a cell
 *   without state, or a state that has tensors of whole numbers, which have no Jacobian, or another
 *   shape after a step; where the Jacobians take more than `memory.bytes`, with what they take; and
 *   what `unroll` throws for, in its words
 *
 * @example
 * ```ts
 * import { zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams, unroll } from "@chronograd/rnn";
 * import { unrollByNewton } from "@chronograd/rnn/estimators";
 *
 * const cell = gru({ input: 3, hidden: 5 });
 * const params = initialParams(cell, rng(1), { dtype: "float64" });
 * const inputs = zeros([50, 2, 3], { dtype: "float64" }).add(0.5);
 * const found = unrollByNewton(cell, params, inputs);
 * found.converged && found.iterations < 10; // => true
 *
 * const { state } = unroll(cell, params, inputs);
 * found.state!.h.sub(state.h).abs().max().item() < 1e-10; // => true
 * ```
 */
export function unrollByNewton<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  inputs: UnrollInputs<X>,
  options: NewtonOptions<State> = {},
): NewtonUnrolled<State, Y> {
  checkCell(where, cell, "step", "unroll runs it");
  checkNewton(where, options);
  if (options.state !== undefined) checkState(`${where}: the state`, options.state, cell.state);
  return scope(() => {
    const { all, run } = prepared(cell, params, inputs, { ...options, rng: null });
    const steps = stepsOf(all);
    const start = run.state ?? run.start(params);
    const first = stepOf(all, 0);
    const ofStep = run.context === undefined ? first : { x: first, context: run.context };
    checkRows(`${where}: step 1`, ofStep, start);
    const bounds = boundsOf(where, options, start, steps);
    const input = flatInput(all, run.context, steps);
    const whole = new WholeSequence(where, cell, { params, start, input }, run.marks, steps);
    const { given } = whole;
    const report = { iterations: 0, residuals: [] as number[], converged: false };
    const states = customGradient(
      (untracked: typeof given) => solve(whole, untracked, bounds, report),
      (g, untracked, solution) => adjoint(whole, untracked as typeof given, g, solution),
    )(given);
    const { converged, ...numbers } = report;
    if (!converged) return { ...numbers, converged };
    const outputs = whole.outputs(given, whole.before(start, states));
    const last = states.slice([[(steps - 1) * whole.rows, steps * whole.rows]]);
    const state = rowsTree(last, start) as unknown as Values<State>;
    return { ...numbers, converged, outputs, state };
  }) as NewtonUnrolled<State, Y>;
}

/** Inputs `[T, B, ...]` as T B rows, each with the context of its row. */
function flatInput(all: unknown, context: unknown, steps: number): unknown {
  const input = tree.map(all, (x: Tensor) => x.reshape([-1, ...x.shape.slice(2)]));
  return context === undefined
    ? input
    : { x: input, context: treeRows(context, repeatedRows(steps)) };
}

/** The states after all steps, `[T B, H]`, and in `report` how they were found. */
function solve<Params, State, X, Y>(
  whole: WholeSequence<Params, State, X, Y>,
  given: Arguments<Params, State>,
  { tolerance, iterations }: Bounds,
  report: { iterations: number; converged: boolean; readonly residuals: number[] },
): Tensor {
  const guess = repeatedRows(whole.steps)(rowsVector(given.start));
  let states = guess;
  while (!report.converged && report.iterations < iterations) {
    report.iterations++;
    states = scope(() => {
      const [after, jacobians] = whole.linearized(given, whole.before(given.start, states));
      const residuals = after.sub(states);
      report.residuals.push(largestOf(residuals));
      const corrections = recurrence(jacobians, residuals.reshape([whole.steps, whole.rows, -1]));
      const next = states.add(corrections.reshape(states.shape));
      const bound = tolerance * Math.max(1, largestOf(next));
      report.converged = Number.isFinite(bound) && largestOf(corrections) <= bound;
      return finiteOr(guess, next);
    });
  }
  if (report.converged) scope(() => checkAlone(where, whole, given, states));
  return states;
}

/** `d_t = J_t d_{t-1} + b_t` from `d_0 = 0`; J is `[T, B, H, H]`, b `[T, B, H]`. */
function recurrence(jacobians: Tensor, b: Tensor): Tensor {
  const [steps, rows, H] = b.shape as [number, number, number];
  const all = [b.slice([0])];
  for (let t = 1; t < steps; t++) {
    const flown = jacobians.slice([t]).matmul(all[t - 1]!.reshape([rows, H, 1]));
    all.push(b.slice([t]).add(flown.reshape([rows, H])));
  }
  return stack(all);
}

/** The largest size of all numbers; Infinity if one is none. */
function largestOf(x: Tensor): number {
  let most = 0;
  for (const value of x.toTypedArray()) most = Math.max(most, Math.abs(value));
  return Number.isNaN(most) ? Infinity : most;
}

/** Numbers that are finite, and those of the guess in place of the others. */
function finiteOr(guess: Tensor, x: Tensor): Tensor {
  const [values, others] = [x.toTypedArray(), guess.toTypedArray()];
  if (values.every(Number.isFinite)) return x;
  const finite = Float64Array.from(values, (value, i) =>
    Number.isFinite(value) ? value : others[i]!,
  );
  return tensor(finite, { shape: x.shape, dtype: x.dtype, backend: x.backend });
}

/**
 * The cotangents of the arguments from that of the states at the solution: `l_t = g_t + J_{t+1}'
 * l_{t+1}`, and `l_t` flows into step t, with the state before it constant.
 */
function adjoint<Params, State, X, Y>(
  whole: WholeSequence<Params, State, X, Y>,
  given: Arguments<Params, State>,
  g: Tensor,
  states: Tensor,
): Arguments<Params, State> {
  const { steps, rows } = whole;
  const [, jacobians] = whole.linearized(given, whole.before(given.start, states));
  const cotangents = g.reshape([steps, rows, 1, -1]);
  const all = [cotangents.slice([steps - 1])];
  for (let t = steps - 2; t >= 0; t--) {
    all.push(cotangents.slice([t]).add(all.at(-1)!.matmul(jacobians.slice([t + 1]))));
  }
  const after = (own: unknown) => {
    const { start } = own as typeof given;
    return whole.after(own as typeof given, whole.before(start, states));
  };
  const [, pull] = vjp(after, given as unknown);
  return pull(stack(all.reverse()).reshape(g.shape)) as typeof given;
}
