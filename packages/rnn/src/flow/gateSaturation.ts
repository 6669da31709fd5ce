import { scope, Tape } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { textOf } from "../checkDefinition.ts";
import { floatsOf } from "../derivatives/vectors.ts";
import { advance } from "../sequences/advance.ts";
import { atStep } from "../stepErrors.ts";
import { type Gate, gatesOf } from "./gatesOf.ts";
import { checkPresent, presentRows } from "./presentRows.ts";
import {
  type FlowSource,
  type TrajectoryOptions,
  type TrajectoryStep,
  withTrajectory,
} from "./trajectory.ts";

/** What `gateSaturation` takes. */
export interface GateSaturationOptions<State> extends TrajectoryOptions<State> {
  /**
   * What counts as near a bound, as a share of the range: of a sigmoid below 0.1 or above 0.9 with
   * 0.1, which it is unless given (Karpathy, Johnson & Fei-Fei 2015). From 0 to below 0.5.
   */
  readonly tolerance?: number;
}

/** How often a gate is at its bounds, over all steps and rows. */
export interface SaturatedGate {
  /**
   * The part of the model, and the gate of a fused op, or the op with its place among those of its
   * kind: `"f"`, `"layer 0.r"`, `"head.tanh 2"`.
   */
  readonly name: string;
  readonly op: "sigmoid" | "tanh" | "relu";
  /** Paths of the parameters that enter it, other gates aside. */
  readonly params: readonly string[];
  readonly mean: number;
  /** The share of values near the lower bound: 0 or -1. Of a relu, those that are 0. */
  readonly low: number;
  /** The share of values near the upper bound, 1; 0 of a relu, which has none. */
  readonly high: number;
  /** The same for each element of a row. */
  readonly units: {
    readonly mean: readonly number[];
    readonly low: readonly number[];
    readonly high: readonly number[];
  };
}

/** What the gates of a model do over a stretch. Plain data. */
export interface GateSaturation {
  readonly steps: number;
  readonly rows: number;
  readonly tolerance: number;
  /** In the order in which a step computes them. */
  readonly gates: readonly SaturatedGate[];
}

/** What is added up of a gate. */
interface Sums extends Pick<Gate, "op" | "params"> {
  count: number;
  readonly mean: number[];
  readonly low: number[];
  readonly high: number[];
}

/**
 * How often the gates of a model are **saturated**, where little gradient flows through them: for
 * every `sigmoid`, `tanh` and `relu` of a step, and every gate of `lstmGates` and `gruGates`, the
 * mean and the shares of values near its bounds, over all steps and all rows that have one
 * (Karpathy, Johnson & Fei-Fei 2015, Visualizing and understanding recurrent networks). A cell
 * whose step has none of these ops is read from its `equations`.
 *
 * Cost: the stretch twice forward, once on a tape; no pull. It reads only values.
 *
 * @param stream `{ inputs [T, B, ...] }` or steps, synchronous; no targets needed
 * @throws for a gate that is NaN, with its step, and a tolerance out of range
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, lstm } from "@chronograd/rnn";
 * import { gateSaturation } from "@chronograd/rnn/flow";
 *
 * const cell = lstm({ input: 2, hidden: 1 });
 * const params = { ...initialParams(cell, rng(1)), b: tensor([0, 9, 0, -9]) };
 * const { gates } = gateSaturation(cell, params, { inputs: zeros([5, 3, 2]) });
 * gates.map(({ name, low, high }) => [name, low, high]);
 * // => [["i", 0, 0], ["f", 0, 1], ["g", 0, 0], ["o", 1, 0]]
 * ```
 */
export function gateSaturation<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  stream: FlowSource<X>,
  options: GateSaturationOptions<State> = {},
): GateSaturation {
  const where = "gateSaturation";
  checkOptions(where, options, ["tolerance", "state", "rng"]);
  const { tolerance = 0.1 } = options;
  if (!(typeof tolerance === "number" && tolerance >= 0 && tolerance < 0.5)) {
    throw new RangeError(
      `${where}: tolerance must be a number from 0 to below 0.5, a share of the range of a gate, got ${textOf(tolerance)}`,
    );
  }
  return withTrajectory(where, cell, params, stream, options, (trajectory) => {
    const found = new Map<string, Sums>();
    const rows = floatsOf(trajectory[0]!.before)[0]!.shape[0]!;
    checkPresent(where, trajectory, rows);
    for (const at of trajectory) {
      scope(() => {
        let gates = recorded(where, cell, params, at, rows);
        const { equations } = cell;
        if (gates.length === 0 && equations !== undefined) {
          gates = recorded(where, { ...cell, step: equations }, params, at, rows);
        }
        const present = presentRows(at.step, rows);
        for (const gate of gates) {
          const { name, op, params: paths } = gate;
          const sums = found.get(name) ?? {
            op,
            params: paths,
            count: 0,
            mean: [],
            low: [],
            high: [],
          };
          found.set(name, sums);
          addUp(sums, gate, present, tolerance, `${where}: the gate "${name}" of step ${at.t}`);
        }
      });
    }
    const gates = Array.from(found, ([name, sums]) => summary(name, sums));
    return { steps: trajectory.length, rows, tolerance, gates };
  });
}

function recorded<Params, State, X, Y>(
  where: string,
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  { t, step, before }: TrajectoryStep<State, X, unknown>,
  rows: number,
): Gate[] {
  const tape = new Tape();
  const watched = tape.watch({ params, before, input: step.input });
  const given = watched as { params: Values<Params>; before: Values<State>; input: X };
  atStep(`${where}: step`, t, () => advance(cell, given.params, given.input, step, given.before));
  return gatesOf(tape, rows);
}

/** The bounds of an op; of a relu only the lower one is reached. */
const bounds = { sigmoid: [0, 1], tanh: [-1, 1], relu: [0, Infinity] } as const;

function addUp(
  sums: Sums,
  { values, units, op }: Gate,
  rows: readonly number[],
  tolerance: number,
  what: string,
): void {
  const [low, high] = bounds[op];
  const margin = op === "relu" ? 0 : tolerance * (high - low);
  for (const row of rows) {
    for (let unit = 0; unit < units; unit++) {
      const value = values(row, unit);
      if (Number.isNaN(value))
        throw new RangeError(
          `${what} is NaN; look at the parameters, and at the input of that step`,
        );
      sums.mean[unit] = (sums.mean[unit] ?? 0) + value;
      sums.low[unit] = (sums.low[unit] ?? 0) + Number(value <= low + margin);
      sums.high[unit] = (sums.high[unit] ?? 0) + Number(value >= high - margin);
    }
  }
  sums.count += rows.length;
}

function summary(name: string, { op, params, count, ...sums }: Sums): SaturatedGate {
  const of = (list: readonly number[]) => list.map((sum) => sum / count);
  const units = { mean: of(sums.mean), low: of(sums.low), high: of(sums.high) };
  const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;
  return {
    ...{ name, op, params },
    ...{ mean: mean(units.mean), low: mean(units.low), high: mean(units.high), units },
  };
}
