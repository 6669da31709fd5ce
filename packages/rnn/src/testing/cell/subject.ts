import { scope, Tape, type Tensor, tensor, timeStep, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { checkSettings, type Finding, type Law } from "@chronograd/autodiff/testing";
import { type Rng, rng } from "@chronograd/nn";
import { checkCell } from "../../checkCell.ts";
import { runStep } from "../../runStep.ts";
import { drawParams, drawState, inFloat64, inputOf, type PlainCell } from "../draw.ts";
import { nameOf, Tally } from "../tally.ts";
import type { CellTestOptions } from "./options.ts";

/** What laws about a cell are measured on, with every option filled in. */
export interface Subject {
  readonly cell: PlainCell;
  readonly batch: number;
  readonly steps: number;
  readonly tolerance: number;
  readonly float32: number;
  readonly redraws: number;
  params(random: Rng): unknown;
  state(random: Rng, batch: number): unknown;
  input(random: Rng, batch: number): unknown;
}

/** One random case, all float64. */
export interface Case {
  readonly params: unknown;
  /** The state before the first step, not the cell's initial one. */
  readonly state: unknown;
  /** One input per time step. */
  readonly inputs: readonly unknown[];
}

const known: readonly (keyof CellTestOptions)[] = [
  "name",
  "input",
  "params",
  "state",
  "batch",
  "steps",
  "tolerance",
  "float32",
  "redraws",
  "seed",
  "runs",
];

/** The subject of a cell's laws. */
export function subjectOf(
  cell: PlainCell,
  options: CellTestOptions<unknown, unknown, unknown>,
): Subject {
  checkCell("cellLaws", cell, "step", "give the laws of the cells that it is made of");
  checkOptions("cellLaws", options, known);
  checkSettings("cellLaws", options);
  const { batch = 3, steps = 4, tolerance = 1e-7, float32 = 1e-5, redraws = 8 } = options;
  for (const [name, value, least] of [
    ["batch", batch, 2],
    ["steps", steps, 2],
    ["redraws", redraws, 1],
  ] as const) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new RangeError(
      `cellLaws: ${name} must be a whole number of at least ${least}, got ${value}`,
    );
  }
  const { params, state } = options;
  return {
    cell,
    batch,
    steps,
    tolerance,
    float32,
    redraws,
    params: (random) => (params ? inFloat64(params(random)) : drawParams(cell, random)),
    state: (random, rows) =>
      state ? inFloat64(state(random, rows)) : drawState(cell, random, rows),
    input: inputOf(cell, options.input, "cellLaws"),
  };
}

/** Draws a case: parameters, state and inputs from separate generators. */
export function draw(
  subject: Subject,
  seed: number,
  {
    steps = subject.steps,
    batch = subject.batch,
    attempt = 0,
  }: { readonly steps?: number; readonly batch?: number; readonly attempt?: number } = {},
): Case {
  const random = attempt === 0 ? rng(seed) : rng(seed, `draw ${attempt}`);
  return {
    params: subject.params(random.split("params")),
    state: subject.state(random.split("state"), batch),
    inputs: Array.from({ length: steps }, (_, t) =>
      subject.input(random.split(`input ${t + 1}`), batch),
    ),
  };
}

/** Outputs of all steps, and the states after them. */
export interface Trajectory {
  readonly outputs: readonly unknown[];
  readonly states: readonly unknown[];
}

/** Runs a cell step by step, with nothing around it. */
export function run(cell: PlainCell, { params, state, inputs }: Case): Trajectory {
  const outputs: unknown[] = [];
  const states: unknown[] = [];
  let now = state;
  for (const [i, x] of inputs.entries()) {
    const before = now;
    const [output, next] = timeStep(i + 1, () => runStep(cell, params, x, before));
    outputs.push(output);
    states.push(next);
    now = next;
  }
  return { outputs, states };
}

/** What a loss may depend on: every output, and the last state. */
export function results({ outputs, states }: Trajectory): unknown {
  return { outputs, state: states.at(-1) };
}

/**
 * A tree like `values` of random floats, exact in float32: the same each time, by seed and path.
 */
export function randomLike(values: unknown, seed: number): unknown {
  const random = rng(seed, "cotangent");
  return tree.map(values, (x: Tensor, path) => {
    if (x.dtype === "int32") return x;
    const own = random.split(nameOf("leaf", path));
    const { shape, dtype, backend } = x;
    const elements = Float64Array.from({ length: x.size }, () => Math.fround(own.normal()));
    return tensor(elements, { shape, dtype, backend });
  });
}

/** `<u, tree>` with a random `u` of the seed. */
export function contraction(seed: number): (values: unknown) => Tensor {
  return (values) => {
    const parts = tree.leaves(
      tree.zip(values, randomLike(values, seed), (y, u) =>
        y.dtype === "int32" ? y : y.mul(u).sum(),
      ),
    );
    const floats = parts.filter((part) => part.dtype !== "int32");
    if (floats.length === 0) throw new TypeError("the cell returns no float tensor");
    return floats.reduce((total, part) => total.add(part));
  };
}

/**
 * The gradient of a random sum of what a case gives, by all of the case; empty where nothing
 * reaches it.
 */
export function gradientOf(cell: PlainCell, drawn: Case, seed: number): unknown {
  const tape = new Tape();
  const watched = tape.watch(drawn) as Case;
  const loss = contraction(seed)(results(run(cell, watched)));
  return tape.tracks(loss) ? tape.gradient(loss, watched) : {};
}

/** Two runs, step by step: `where, step 3: output`. */
export function compareSteps(
  tally: Tally,
  found: Trajectory,
  expected: Trajectory,
  where: string,
  first = 1,
): void {
  for (const [i, output] of expected.outputs.entries()) {
    const step = `${where}, step ${first + i}:`;
    tally.trees(found.outputs[i], output, `${step} output`);
    tally.trees(found.states[i], expected.states[i], `${step} state`);
  }
}

/** A law whose intermediate values are gone when it was measured. */
export function law(
  name: string,
  statement: string,
  bound: number,
  measure: (seed: number, tally: Tally) => Finding | undefined,
): Law {
  return { name, statement, bound, measure: (seed) => scope(() => measure(seed, new Tally())) };
}

/** A finding, and whether differences could decide everything. */
export interface Attempt extends Finding {
  /** What contradicted itself, in words. */
  readonly undecided?: string;
}

/**
 * Draws again where differences contradict each other, as they do next to a kink. Breaks the law
 * when they do in every draw: what could not be decided has not passed.
 */
export function decided({ redraws, tolerance }: Subject, attempt: (n: number) => Attempt): Finding {
  let last: Attempt | undefined;
  for (let n = 0; n < redraws; n++) {
    last = attempt(n);
    if (!(last.error <= tolerance) || last.undecided === undefined) return last;
  }
  const what = `differences contradict each other in all of ${redraws} draws, at a kink or where the cell is ill-conditioned, so nothing is shown; draw tamer parameters or inputs with { params, input }\n${last!.undecided}`;
  return { error: Infinity, cases: last!.cases, what };
}
