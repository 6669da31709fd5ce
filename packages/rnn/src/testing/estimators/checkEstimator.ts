import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkSettings } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import type { Cell } from "../../cell.ts";
import { checkCell } from "../../checkCell.ts";
import { checkChoice } from "../../checkChoice.ts";
import { textOf } from "../../checkDefinition.ts";
import { batchOf } from "../../checkRows.ts";
import { initialState } from "../../initial.ts";
import type { StepSource } from "../../truncated/stream.ts";
import { drawParams, inFloat64, type PlainCell } from "../draw.ts";
import { readSteps } from "../truncated/readSteps.ts";
import { collectEstimate } from "./collectEstimate.ts";
import { compareEstimates } from "./compare.ts";
import { fullGradient, type Stretch } from "./definition.ts";
import type { CheckEstimatorOptions } from "./options.ts";
import { EstimatorReport } from "./report.ts";

const where = "checkEstimator";

type PlainOptions = CheckEstimatorOptions<unknown, unknown, unknown, unknown, unknown>;

const known: readonly (keyof PlainOptions)[] = [
  "windows",
  "claim",
  "loss",
  "state",
  "name",
  "params",
  "steps",
  "tolerance",
  "runs",
  "falseAlarms",
  "seed",
  "throws",
];

/**
 * Holds an estimator to full back-propagation through time, as `checkTruncated` holds truncation to
 * its definition: for an estimator of your own.
 *
 * The gradients of all windows, added up, must be that of the stretch by a plain tape over plain
 * steps, which shares no loop with the library: to a tolerance where the estimator claims to be
 * exact, and on average over draws where it claims to be unbiased. Then the mean of all runs must
 * lie within an interval around it, for each derivative and along the gradient by each parameter,
 * so that a right estimator is found wrong with a probability of about `falseAlarms`: about, since
 * the mean of few runs with a skewed distribution is not quite normal. A bias that is smaller than
 * the interval cannot be seen: it narrows with the root of `runs`. Windows that tell losses must
 * tell each step's once, and states must be those of the model. The parameters stay as they are.
 *
 * @param model the model
 * @param stream its steps, as `truncated` takes them; float32 values are used as float64. A model
 *   that draws noise runs without
 * @returns a report; `String(report)` says which derivatives are wrong, and by how much
 * @throws for a stream without steps, or losses that are `null` everywhere; with `throws`, where
 *   something is wrong
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { gru } from "@chronograd/rnn";
 * import { artbp } from "@chronograd/rnn/estimators";
 * import { checkEstimator } from "@chronograd/rnn/testing";
 *
 * const steps = [1, 2, 3, 4].map((t) => ({
 *   input: tensor([[Math.sin(t)]]),
 *   target: tensor([[Math.cos(t)]]),
 * }));
 * const report = checkEstimator(gru({ input: 1, hidden: 1 }), steps, {
 *   claim: "unbiased",
 *   loss: (y, target) => y.sub(target).square(),
 *   windows: (cell, params, stream, options, draws) =>
 *     artbp(cell, params, stream, { ...options, draws, steps: 2 }),
 * });
 * [report.ok, report.runs]; // => [true, 200]
 * ```
 */
export function checkEstimator<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  model: Cell<Params, State, X, Y>,
  stream: StepSource<X, Target>,
  options: CheckEstimatorOptions<Params, State, X, Y, Target>,
): EstimatorReport {
  checkCell(where, model, "step", "only steps have windows");
  checkOptions(where, options, known);
  const plain = (options ?? {}) as unknown as PlainOptions;
  checkSettings(where, plain);
  checkOwn(plain);
  const report = scope(() =>
    examine(model as unknown as PlainCell, stream as StepSource<unknown, unknown>, plain),
  );
  if (plain.throws === true) report.assert();
  return report;
}

function checkOwn({ windows, claim, loss, steps, falseAlarms = 0.001, runs = 200 }: PlainOptions) {
  checkChoice(where, "claim", claim, ["exact", "unbiased"]);
  for (const [name, value] of Object.entries({ windows, loss })) {
    if (typeof value === "function") continue;
    throw new TypeError(`${where}: ${name} must be a function, got ${textOf(value)}`);
  }
  if (steps !== undefined && (!Number.isInteger(steps) || steps < 1)) {
    throw new RangeError(
      `${where}: steps must be a whole number of at least 1, got ${textOf(steps)}`,
    );
  }
  if (!Number.isInteger(runs) || runs < 30) {
    throw new RangeError(
      `${where}: runs must be a whole number of at least 30, got ${textOf(runs)}; the mean of fewer runs is too far from normal`,
    );
  }
  if (typeof falseAlarms !== "number" || !(falseAlarms > 0 && falseAlarms <= 0.1)) {
    throw new RangeError(
      `${where}: falseAlarms must be a probability above 0, of at most 0.1, got ${textOf(falseAlarms)}`,
    );
  }
}

function examine(
  cell: PlainCell,
  stream: StepSource<unknown, unknown>,
  options: PlainOptions,
): EstimatorReport {
  const { claim, loss, name = "estimator", seed = 1 } = options;
  const { tolerance = 1e-10, falseAlarms = 0.001 } = options;
  const given = readSteps(where, stream, options.steps ?? Infinity);
  const batch = batchOf(given[0]!.input, where);
  const drawn = drawParams(cell, rng(seed).split("params"));
  const params = options.params ? inFloat64(options.params) : drawn;
  checkParams(params, drawn);
  const isLearned = cell.initial !== undefined && options.state === undefined;
  const state = inFloat64(
    options.state ?? initialState({ state: cell.state }, batch, { dtype: "float64" }),
  );
  // The start of a stream is a reset of all rows, where it is learned.
  const all = tensor(new Int32Array(batch).fill(1));
  const steps = given.map((step, i) => (isLearned && i === 0 ? { ...step, reset: all } : step));
  const stretch: Stretch = { cell, loss, params, state, steps, batch };
  const truth = fullGradient(where, stretch);
  if ([...truth.gradient.values()].every((g) => g.every((x) => x === 0))) {
    throw new RangeError(
      `${where}: the gradient of full back-propagation over these steps is zero, so nothing can be compared with it; are the losses null at all steps?`,
    );
  }
  const runs = claim === "exact" ? 1 : (options.runs ?? 200);
  const failures: string[] = [];
  const estimates: ReadonlyMap<string, Float64Array>[] = [];
  for (let run = 1; run <= runs && failures.length === 0; run++) {
    const shared = { loss, rng: null, ...(!isLearned && { state: copied(state) }) };
    const draws = rng(seed).split(`run ${run}`);
    const start = () => options.windows(cell, copied(params), [...given], shared, draws);
    const { estimate, wrong } = scope(() => collectEstimate(start, truth));
    for (const each of wrong) failures.push(claim === "exact" ? each : `run ${run}: ${each}`);
    estimates.push(estimate);
  }
  const bounds = { claim, tolerance, falseAlarms };
  const parameters =
    failures.length === 0 ? compareEstimates(params, truth.gradient, estimates, bounds) : [];
  const numbers = { claim, runs: estimates.length, steps: steps.length, falseAlarms };
  return new EstimatorReport(name, numbers, parameters, failures);
}

/** Throws a sentence for parameters that lack a tensor of the cell's. */
function checkParams(params: unknown, like: unknown): void {
  const found = tree.leavesWithPath(params).map(([path]) => path);
  const missing = tree.leavesWithPath(like).find(([path]) => !found.includes(path));
  if (missing === undefined) return;
  throw new TypeError(
    `${where}: params must have the tensors of the cell's params, and "${missing[0]}" is missing, got ${found.join(", ") || "none"}; leave them out, and they are drawn`,
  );
}

const copied = (values: unknown): unknown => tree.map(values, (x: Tensor) => x.clone());
