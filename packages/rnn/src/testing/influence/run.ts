import {
  type RecordingOptions,
  Tape,
  type Tensor,
  type TypedArray,
  tensor,
  tree,
} from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import type { Values } from "../../cell.ts";
import { type UnrollOptions, unroll } from "../../unroll.ts";
import type { PlainCell } from "../draw.ts";
import type { Change, Cone } from "./changes.ts";
import { Draws, type Fill, filled } from "./fills.ts";
import { atAllSteps, beforeAll, type Grid, type Part } from "./grid.ts";

/** Everything that a model is run on, float64. */
export interface Given {
  readonly params: unknown;
  readonly inputs: Tensor | readonly unknown[];
  readonly state: unknown;
  readonly context?: unknown;
}

/** A model and a batch, as every run of a check takes them. */
export interface Experiment {
  readonly model: PlainCell;
  readonly given: Given;
  /** `lengths`, `mask` and `resets`, where they are given. */
  readonly marks: object;
  readonly grid: Grid;
  readonly seed: number;
  readonly draws: Draws;
  /** The tensors of the batch, which may change. */
  readonly parts: readonly Part[];
}

/** What the runs of a check share. */
export function experimentOf(
  model: PlainCell,
  given: Given,
  marks: object,
  grid: Grid,
  seed: number,
): Experiment {
  const parts = [
    ...grid.ofInputs(given.inputs),
    ...grid.atStep(beforeAll, given.state, "state"),
    ...grid.atStep(atAllSteps, given.context, "context"),
  ];
  return { model, given, marks, grid, seed, draws: new Draws(seed), parts };
}

/** A run on a tape. */
export interface Run {
  readonly tape: Tape;
  /** What the tape watches. */
  readonly watched: Given;
  /** Outputs and the last state. */
  readonly results: readonly Part[];
}

/** Runs the model on a new tape. */
export function run(experiment: Experiment, given: Given, options?: RecordingOptions): Run {
  const { model, marks, grid, seed } = experiment;
  const tape = new Tape(options);
  const watched = tape.watch(given) as Given;
  const { params, inputs, state, context } = watched;
  const all = {
    state,
    ...marks,
    ...(context !== undefined && { context }),
    // The same draws in every run.
    ...("noise" in model && { rng: rng(seed, "noise") }),
  } as UnrollOptions<unknown>;
  const { outputs, state: last } = unroll<unknown, unknown, unknown, unknown>(
    model,
    params as Values<unknown>,
    inputs,
    all,
  );
  for (const [path, y] of tree.leavesWithPath(outputs)) {
    if (y.shape[0] === grid.steps) continue;
    throw new RangeError(
      `checkInfluence: outputs must be time-major, [${grid.steps}, ${grid.rows}, ...], got [${y.shape}]${path === "" ? "" : ` for "${path}"`}`,
    );
  }
  return {
    tape,
    watched,
    results: [...grid.inTime(outputs, "outputs"), ...grid.atStep(grid.steps, last, "state")],
  };
}

/** What is given, with the places of a change filled. */
export function changed({ given, parts, draws }: Experiment, change: Change, fill: Fill): Given {
  const others = new Map(parts.map((part) => [part.path, filled(part, change, fill, draws)]));
  return tree.map(given, (x: Tensor, path) => others.get(path) ?? x) as Given;
}

/**
 * The gradient, by all that is watched, of a random sum of the results that a change must not
 * reach; by path, without those that are absent.
 */
export function gradientOf(
  experiment: Experiment,
  { tape, watched, results }: Run,
  cone: Cone,
): Map<string, TypedArray> {
  const { targets, cotangents } = seedsOf(experiment, tape, results, cone);
  if (targets.length === 0) return new Map();
  const found = tape.gradientIfReached(targets, watched, { cotangent: cotangents });
  return new Map([...found].map(([path, g]) => [path, g.toTypedArray()]));
}

/** Results on the tape, and random cotangents: 0 where they may change. */
export function seedsOf(
  { draws }: Experiment,
  tape: Tape,
  results: readonly Part[],
  cone: Cone,
): { targets: Tensor[]; cotangents: Tensor[] } {
  const onTape = results.filter(({ x }) => x.dtype !== "int32" && tape.tracks(x));
  return {
    targets: onTape.map(({ x }) => x),
    cotangents: onTape.map(({ path, x, places }) => {
      const drawn = draws.of(`cotangent ${path}`, (random) =>
        Float64Array.from({ length: x.size }, () => random.normal()),
      );
      const values = new Float64Array(x.size);
      for (const { step, row, start, end } of places) {
        if (cone.holds(step, row)) values.set(drawn.subarray(start, end), start);
      }
      return tensor(values, { shape: x.shape, backend: x.backend });
    }),
  };
}

/** Whether two numbers are the same, bit by bit but for the sign of 0. */
export function same(a: number | undefined, b: number | undefined): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}
