import { scope, Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkSettings } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import type { Cell, Values } from "../../cell.ts";
import type { SequenceModel } from "../../unroll.ts";
import { drawParams, drawState, inFloat64, type PlainCell } from "../draw.ts";
import { changesOf, type InfluenceKind } from "./changes.ts";
import { Examination } from "./examine.ts";
import { finite } from "./fills.ts";
import { Grid, sizesOf } from "./grid.ts";
import { type Influence, InfluenceReport, type InfluenceResult } from "./report.ts";
import { changed, experimentOf } from "./run.ts";

/** What a model is checked on: the arguments of `unroll`. Floats are used as float64. */
export interface InfluenceBatch<State = unknown, X = Tensor> {
  /** Time-major `[T, B, ...]`, or a list of T inputs. */
  readonly inputs: Tensor | readonly X[];
  /** How many steps each row has. */
  readonly lengths?: readonly number[] | Tensor;
  /** int32 `[T, B]`: 0 where a row has no step. */
  readonly mask?: Tensor;
  /** int32 `[T, B]`: 1 where a row begins afresh. */
  readonly resets?: Tensor;
  /** What all steps share; tensors whose first axis has B rows are taken apart by rows. */
  readonly context?: unknown;
  /** The state before the first step; random in every element unless given. */
  readonly state?: Values<State>;
}

/** How `checkInfluence` checks. */
export interface InfluenceOptions<Params = unknown> {
  /** Heads the report; `"model"` unless given. */
  readonly name?: string;
  /** The parameters, used as float64; random in every element unless given. */
  readonly params?: Values<Params>;
  /**
   * False for a model in which later inputs matter, such as a bidirectional one; true by default.
   */
  readonly causal?: boolean;
  /** Seed of everything that is drawn; 1 unless given. */
  readonly seed?: number;
}

/** Findings of one kind that are reported. */
const most = 3;

/**
 * Checks that no output, state or gradient of a row depends on other rows, on padding, on what lies
 * before a reset, on later inputs, or on earlier calls.
 *
 * Values that must not matter are replaced, by others of the batch, by large numbers of both signs,
 * by NaN and by infinities. All that must not change has to stay the same bit by bit (-0 counts as
 * 0): outputs, states, and the gradients of the results that remain, by the parameters and by what
 * was not replaced. So it finds influence that has no derivative too: of argmax, of batch
 * statistics, of detached values. In addition the gradient by what was replaced must be exactly 0
 * or absent. Where something leaks, both runs are compared on their tapes: the report names the
 * first op whose result differs where it must not, with its time step (where the loop runs its
 * steps in `timeStep`, as `unroll` does), and from which row to which.
 *
 * It proves nothing about values that were not drawn: a leak that needs a certain value, another
 * shape or another seed can hide, and so can a value that the first call ever left behind for all
 * later ones. NaN is put into all of a row at a step, never into a single element. Gradients are
 * compared for ordinary values, as 0 times NaN is NaN; for padding, which must not be read, for NaN
 * and infinities as well. Whole numbers are exchanged with others of the batch.
 *
 * @param model a cell; or a model with `unroll(params, inputs, options)` of its own, which may be a
 *   custom loop
 * @param batch inputs with two rows at least, and `lengths`, `mask` and `resets` for what they
 *   bring in: a batch without padding says nothing about padding
 * @returns a report; `String(report)` says what depends on what, `report.assert()` throws that
 *
 * @example
 * ```ts
 * import { type Tensor, tensor } from "@chronograd/autodiff";
 * import { init, rng } from "@chronograd/nn";
 * import { defineCell, lstm } from "@chronograd/rnn";
 * import { checkInfluence } from "@chronograd/rnn/testing";
 *
 * const random = rng(1);
 * const elements = Float64Array.from({ length: 4 * 3 * 2 }, () => random.normal());
 * const inputs = tensor(elements, { shape: [4, 3, 2] });
 * checkInfluence(lstm({ input: 2, hidden: 5 }), { inputs }).ok; // => true
 *
 * // A cell that normalises by the mean of the batch.
 * const mixing = defineCell({
 *   params: ({ input, hidden }) => ({ W: init.glorot(input, hidden) }),
 *   state: ({ hidden }) => ({ h: init.zeros(hidden) }),
 *   step: ({ W }, x: Tensor, { h }) => {
 *     const sum = x.matmul(W).add(h);
 *     const next = sum.sub(sum.mean(0)).tanh();
 *     return [next, { h: next }];
 *   },
 * })({ input: 2, hidden: 5 });
 * const [leak] = checkInfluence(mixing, { inputs }).influences;
 * // A mean is a sum, divided.
 * [leak?.kind, leak?.row, leak?.rows, leak?.site?.op]; // => ["other rows", 0, [1], "sum"]
 * ```
 */
export function checkInfluence<Params, State, X = Tensor, Y = Tensor>(
  model: Cell<Params, State, X, Y> | SequenceModel<Params, State, Y>,
  batch: InfluenceBatch<State, X>,
  options: InfluenceOptions<Params> = {},
): InfluenceReport {
  const where = "checkInfluence";
  if (typeof batch !== "object" || batch === null || batch instanceof Tensor) {
    const got = batch instanceof Tensor ? "a tensor" : String(batch);
    throw new TypeError(`${where}: the batch must be { inputs, ... } as for unroll, got ${got}`);
  }
  checkOptions(where, batch, ["inputs", "lengths", "mask", "resets", "context", "state"]);
  checkOptions(where, options, ["name", "params", "causal", "seed"]);
  checkSettings(where, options);
  const { name = "model", causal = true, seed = 1 } = options;
  if (typeof causal !== "boolean") {
    throw new TypeError(`${where}: causal must be true or false, got ${JSON.stringify(causal)}`);
  }
  const { inputs, lengths, mask, resets, context, state } = batch;
  const plain = model as unknown as PlainCell;
  checkModel(plain);
  const { steps, rows } = sizesOf(inputs);
  return scope(() => {
    const marks = Object.fromEntries(
      Object.entries({ lengths, mask, resets }).filter(([, mark]) => mark !== undefined),
    );
    const grid = new Grid(steps, rows, marks);
    const random = rng(seed);
    const given = {
      params: inFloat64(options.params ?? drawParams(plain, random.split("params"))),
      inputs: inFloat64(inputs) as Tensor,
      state: inFloat64(state ?? drawState(plain, random.split("state"), rows)),
      ...(context !== undefined && { context: inFloat64(context) }),
    };
    const changes = changesOf(grid, causal);
    const padding = changes.find(({ kind }) => kind === "padding");
    const asGiven = experimentOf(plain, given, marks, grid, seed);
    // NaN in padding comes in again, as a change.
    const experiment =
      padding === undefined
        ? asGiven
        : experimentOf(plain, changed(asGiven, padding, finite), marks, grid, seed);
    const examination = new Examination(experiment, causal);
    const kinds: InfluenceKind[] = ["other rows", "padding", "before a reset", "later inputs"];
    const repeated = examination.repeats();
    const again = repeated.influence === undefined ? [] : [repeated.influence];
    const results: InfluenceResult[] = [
      { kind: "earlier calls", changes: 1, cases: repeated.cases, influences: again },
    ];
    // What differs by itself would be found again in every change.
    if (again.length > 0) return new InfluenceReport(name, rows, steps, results);
    for (const kind of kinds) {
      const own = changes.filter((change) => change.kind === kind);
      const influences: Influence[] = [];
      let cases = 0;
      for (const change of own) {
        if (influences.length >= most) break;
        const found = examination.examine(change);
        cases += found.cases;
        if (found.influence !== undefined) influences.push(found.influence);
      }
      results.push({ kind, changes: own.length, cases, influences });
    }
    return new InfluenceReport(name, rows, steps, results);
  });
}

function checkModel(model: PlainCell): void {
  const { params, state, step, unroll } = Object(model) as Record<string, unknown>;
  const runs = typeof step === "function" || typeof unroll === "function";
  if (runs && params !== undefined && state !== undefined) return;
  const got =
    typeof model === "function"
      ? "a function; a family gives a cell when it is called with sizes"
      : typeof model;
  throw new TypeError(
    `checkInfluence: expected a cell, { params, state, step }, or a model, { params, state, unroll }, got ${got}`,
  );
}
