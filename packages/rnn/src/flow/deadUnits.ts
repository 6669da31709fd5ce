import { scope, type Tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { textOf } from "../checkDefinition.ts";
import { floatsOf } from "../derivatives/vectors.ts";
import { advance } from "../sequences/advance.ts";
import { atStep } from "../stepErrors.ts";
import { checkPresent, presentRows } from "./presentRows.ts";
import { type FlowSource, type TrajectoryOptions, withTrajectory } from "./trajectory.ts";

/** What `deadUnits` takes. */
export interface DeadUnitsOptions<State> extends TrajectoryOptions<State> {
  /** A unit that changes by no more counts as constant; 0 unless given. */
  readonly tolerance?: number;
}

/** The units of a leaf of the state, or of the output, that do little. */
export interface DeadLeaf {
  readonly of: "state" | "output";
  /** The path of the leaf; `""` for an output that is one tensor. */
  readonly path: string;
  /** How many units it has: elements of a row. */
  readonly units: number;
  /** Units that never change, over all steps and rows: dead. */
  readonly constant: readonly number[];
  /** Units that change and never pass zero: none of their values, or no other, are above it. */
  readonly oneSided: readonly number[];
}

/** Which units of a model do little. Plain data. */
export interface DeadUnits {
  readonly steps: number;
  readonly rows: number;
  readonly leaves: readonly DeadLeaf[];
}

/** The least and the largest value of each unit. */
interface Range extends Pick<DeadLeaf, "of" | "path"> {
  readonly low: number[];
  readonly high: number[];
}

/**
 * The **dead units** of a model: those of its state and of its output that have the same value at
 * all steps and in all rows, and those that never pass zero. Rows without a step have no part.
 *
 * Cost: the stretch twice forward; no pull. It reads only values.
 *
 * @param stream `{ inputs [T, B, ...] }` or steps, synchronous; no targets needed
 * @throws for a value that is not finite, with its step, and a tolerance below 0
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@chronograd/autodiff";
 * import { elman } from "@chronograd/rnn";
 * import { deadUnits } from "@chronograd/rnn/flow";
 *
 * // A large negative bias keeps the second relu at 0.
 * const cell = elman({ input: 2, hidden: 2, activation: "relu" });
 * const params = {
 *   W: tensor([[1, 1], [1, 1]]),
 *   U: tensor([[0.5, 0], [0, 0.5]]),
 *   b: tensor([0, -9]),
 * };
 * const { leaves } = deadUnits(cell, params, { inputs: ones([5, 3, 2]) });
 * leaves[0]; // => { of: "state", path: "h", units: 2, constant: [1], oneSided: [0] }
 * ```
 */
export function deadUnits<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  stream: FlowSource<X>,
  options: DeadUnitsOptions<State> = {},
): DeadUnits {
  const where = "deadUnits";
  checkOptions(where, options, ["tolerance", "state", "rng"]);
  const { tolerance = 0 } = options;
  if (!(typeof tolerance === "number" && tolerance >= 0)) {
    throw new RangeError(
      `${where}: tolerance must be a number of at least 0, got ${textOf(tolerance)}`,
    );
  }
  return withTrajectory(where, cell, params, stream, options, (trajectory) => {
    const rows = floatsOf(trajectory[0]!.before)[0]!.shape[0]!;
    checkPresent(where, trajectory, rows);
    const ranges = new Map<string, Range>();
    for (const { t, step, before } of trajectory) {
      scope(() => {
        const run = () => advance(cell, params, step.input, step, before);
        const { output, after: state } = atStep(`${where}: step`, t, run);
        const present = presentRows(step, rows);
        for (const [of, values] of Object.entries({ state, output })) {
          for (const [path, x] of tree.leavesWithPath(values)) {
            if (x.dtype === "int32" || x.shape[0] !== rows) continue;
            const key = `${of} ${path}`;
            const range = ranges.get(key) ?? { of: of as Range["of"], path, low: [], high: [] };
            ranges.set(key, range);
            widen(range, x, present, `${where}: the ${of}${path && ` "${path}"`} of step ${t}`);
          }
        }
      });
    }
    const leaves = Array.from(ranges.values(), (range) => leafOf(range, tolerance));
    return { steps: trajectory.length, rows, leaves };
  });
}

function widen({ low, high }: Range, x: Tensor, present: readonly number[], what: string): void {
  const values = x.toTypedArray();
  const units = values.length / x.shape[0]!;
  for (const row of present) {
    for (let unit = 0; unit < units; unit++) {
      const value = values[row * units + unit]!;
      if (!Number.isFinite(value)) {
        throw new RangeError(
          `${what} is ${value} in unit ${unit}; look at the parameters, and at the input of that step`,
        );
      }
      low[unit] = Math.min(low[unit] ?? value, value);
      high[unit] = Math.max(high[unit] ?? value, value);
    }
  }
}

function leafOf({ of, path, low, high }: Range, tolerance: number): DeadLeaf {
  const units = low.map((_, unit) => unit);
  const isConstant = (unit: number) => high[unit]! - low[unit]! <= tolerance;
  const isOneSided = (unit: number) => low[unit]! >= 0 || high[unit]! <= 0;
  return {
    of,
    path,
    units: units.length,
    constant: units.filter(isConstant),
    oneSided: units.filter((unit) => !isConstant(unit) && isOneSided(unit)),
  };
}
