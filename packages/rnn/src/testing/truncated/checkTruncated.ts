import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkSettings } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import type { Cell } from "../../cell.ts";
import { batchOf } from "../../checkRows.ts";
import { initialState } from "../../initial.ts";
import type { TimeStep } from "../../truncated/step.ts";
import type { StepSource } from "../../truncated/stream.ts";
import { truncated } from "../../truncated/truncated.ts";
import { drawn, drawParams, inFloat64, type PlainCell } from "../draw.ts";
import { collectWindows } from "./collect.ts";
import { compare } from "./compare.ts";
import { type Cuts, type Setting, settingsOf, spansOf } from "./definition.ts";
import { Diagnosis } from "./diagnose.ts";
import { derivativesOf, floatsOf } from "./directions.ts";
import { Experiment } from "./experiment.ts";
import { noiseOf } from "./marked.ts";
import type { CheckTruncatedOptions, WindowsFunction } from "./options.ts";
import { readSteps } from "./readSteps.ts";
import { type ModeResult, TruncationReport } from "./report.ts";

type PlainOptions = CheckTruncatedOptions<unknown, unknown, unknown, unknown, unknown>;
type PlainWindows = WindowsFunction<unknown, unknown, unknown, unknown, unknown>;

/** How often everything is drawn again because differences contradict each other. */
const redraws = 4;

const known: readonly (keyof PlainOptions)[] = [
  "k1",
  "k2",
  "loss",
  "state",
  "burnIn",
  "rng",
  "name",
  "params",
  "stale",
  "losses",
  "multiplicity",
  "reduction",
  "steps",
  "tolerance",
  "seed",
  "compile",
  "throws",
  "windows",
];

/**
 * Proves each window's gradient against central differences of its surrogate: the window's losses
 * as a function of its steps' weights, with the state at the cut as it was. In every mode, unless
 * options name one, and with updates between the windows, so that weights of several ages are
 * there.
 *
 * Nothing is shared with what is checked: the reference runs the model step by step, without a
 * tape. Where a window is wrong, the contribution of each time step is computed too, and the report
 * names the mistake that gives exactly the numbers found: a cut one step early, a boundary that is
 * not held constant, weights of the wrong age, a mean for a sum. What is smaller than the tolerance
 * cannot be seen, so check with a small k2 and a model that remembers.
 *
 * @param model the model whose windows are checked
 * @param stream its steps, as `truncated` takes them; float32 values are used as float64
 * @returns a report; `String(report)` says what is wrong and why
 * @throws for k1 and k2 that `truncated` would refuse, a stream without steps; with `throws`, where
 *   a window is wrong
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { gru } from "@chronograd/rnn";
 * import { checkTruncated } from "@chronograd/rnn/testing";
 *
 * const steps = [1, 2, 3, 4, 5].map((t) => ({
 *   input: tensor([[Math.sin(t)]]),
 *   target: tensor([[Math.cos(t)]]),
 * }));
 * const report = checkTruncated(gru({ input: 1, hidden: 1 }), steps, {
 *   k1: 2,
 *   k2: 3,
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * [report.ok, report.modes.length]; // => [true, 24]
 * ```
 */
export function checkTruncated<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  model: Cell<Params, State, X, Y>,
  stream: StepSource<X, Target>,
  options: CheckTruncatedOptions<Params, State, X, Y, Target>,
): TruncationReport {
  checkOptions("checkTruncated", options, known);
  checkSettings("checkTruncated", options);
  const plain = options as unknown as PlainOptions;
  const report = scope(() => {
    const cell = model as unknown as PlainCell;
    const { k1, k2, burnIn = 0, rng: random = null, name = "truncated" } = plain;
    // Refuses what truncated refuses, in its words.
    truncated(cell, () => undefined, [], { k1, k2, burnIn, rng: random, loss: plain.loss });
    const steps = readSteps(
      "checkTruncated",
      stream as StepSource<unknown, unknown>,
      limitOf(plain),
    );
    if (steps.length <= burnIn) {
      throw new RangeError(
        `checkTruncated: the stream has ${steps.length} steps, and burnIn is ${burnIn}; a stream needs at least one step after the burn-in`,
      );
    }
    const cuts = { k1, k2, burnIn, steps: steps.length };
    let modes: ModeResult[] = [];
    for (let attempt = 0; attempt < redraws; attempt++) {
      modes = scope(() => checkModes(cell, steps, cuts, plain, attempt));
      if (modes.every(({ undecided }) => undecided === 0)) break;
      if (modes.some(({ failures }) => failures.length > 0)) break;
    }
    return new TruncationReport(name, cuts, modes);
  });
  if (options.throws === true) report.assert();
  return report;
}

function limitOf({ k1, k2, steps, burnIn = 0 }: PlainOptions): number {
  if (steps !== undefined) {
    if (Number.isInteger(steps) && steps >= 1) return steps;
    throw new RangeError(
      `checkTruncated: steps must be a whole number of at least 1, got ${String(steps)}`,
    );
  }
  if (!Number.isFinite(k1)) return Infinity;
  const enough = (Number.isFinite(k2) ? k2 : k1) + 3 * k1 + 1;
  // One more where the last window would not be short.
  return burnIn + (enough % k1 === 0 ? enough + 1 : enough);
}

function checkModes(
  cell: PlainCell,
  steps: readonly TimeStep<unknown, unknown>[],
  cuts: Cuts,
  options: PlainOptions,
  attempt: number,
): ModeResult[] {
  const { seed = 1, tolerance = 1e-7, compile = false } = options;
  const random = rng(seed, `draw ${attempt}`);
  const params = options.params
    ? inFloat64(options.params)
    : drawParams(cell, random.split("params"));
  const batch = batchOf(steps[0]!.input, "checkTruncated");
  const state = inFloat64(
    options.state ?? initialState({ state: cell.state }, batch, { dtype: "float64" }),
  );
  const isLearned = cell.initial !== undefined && options.state === undefined;
  const updates = spansOf(cuts).map(({ index }) =>
    tree.map(params, (x: Tensor, path) => {
      if (x.dtype === "int32") return x;
      const own = random.split(`update ${index} ${path}`);
      return drawn(x.shape, () => 0.1 * (own.uniform() - 0.5), { backend: x.backend });
    }),
  );
  const generations = [params];
  for (const update of updates) {
    const before = generations.at(-1);
    generations.push(tree.zip(before, update, (x, dx) => (x.dtype === "int32" ? x : x.add(dx))));
  }
  const { rng: generator = null } = options;
  const noises =
    generator === null ? undefined : noiseOf(cell.noise, generator, steps.length, batch, cuts);
  const marked = steps.map(({ reset, ...step }, i) => {
    // The start of a stream is a reset of all rows, where it is learned.
    const all = isLearned && i === 0 ? tensor(new Int32Array(batch).fill(1)) : reset;
    return { ...step, ...(all && { reset: all }), ...(noises && { noise: noises[i]! }) };
  });
  const experiment = new Experiment(cell, marked, state, batch, options.loss, generations);
  if (floatsOf(params).length === 0) {
    throw new TypeError(
      "checkTruncated: the model has no parameters, so there is nothing to check",
    );
  }
  const derivatives = derivativesOf(params, seed);
  const diagnosis = new Diagnosis(experiment, cuts, seed);
  const windows = options.windows ?? (truncated as PlainWindows);
  return settingsOf(options as Partial<Setting>, options.k2).map((setting) => {
    const { k1, k2, burnIn } = cuts;
    const given = {
      ...{ k1, k2, compile, rng: generator },
      ...(burnIn > 0 && { burnIn }),
      ...(!isLearned && { state }),
    };
    const collected = scope(() =>
      collectWindows(windows, { ...experiment, steps }, setting, given, updates),
    );
    const { suspects, failures, ...numbers } = compare(
      experiment,
      cuts,
      derivatives,
      setting,
      collected,
      tolerance,
    );
    const explained = diagnosis.explain(setting, suspects);
    return { ...setting, ...numbers, failures: [...failures, ...explained] };
  });
}
