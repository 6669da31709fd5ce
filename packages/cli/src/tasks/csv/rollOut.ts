import { concat, scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { unroll } from "@chronograd/rnn";
import type { Trained } from "../../training/task.ts";
import { unrollPlanned } from "../../training/unrollPlanned.ts";
import type { Series } from "./table.ts";

/**
 * What a model says after the rows before an origin: how the last of them changes, and its state.
 */
interface Read {
  readonly change: Tensor;
  readonly state: unknown;
}

/** Rows that are read in one call. */
const chunk = 1024;

/**
 * Forecasts of all columns, `steps` rows from each origin, in the units of the file: the model
 * reads the rows before the origin, and then its own predictions. No row from the origin on is
 * read.
 *
 * @param origins ascending, each at least 1 and at most the number of rows
 * @returns for each origin, for each column, the values of the rows `origin` to
 *   `origin + steps - 1`
 */
export function rollOut(
  { model, params }: Trained,
  series: Series,
  origins: readonly number[],
  steps: number,
): Float64Array[][] {
  const { columns, means, deviations } = series;
  return scope(() => {
    const reads: Read[] = [];
    let read = 0;
    for (const origin of origins) {
      let last = reads.at(-1);
      while (read < origin) {
        const end = Math.min(origin, read + chunk);
        last = readRows({ model, params }, series, read, end, last?.state);
        read = end;
      }
      reads.push(last!);
    }
    // From here on, all origins are rows of one batch.
    const before = origins.map((origin) => [...series.row(origin - 1)]);
    let now = tensor(before, { dtype: "float32" });
    let change = concat(
      reads.map((each) => each.change),
      0,
    );
    let state = joined(reads.map((each) => each.state));
    const found = origins.map(() => columns.map(() => new Float64Array(steps)));
    for (let h = 0; h < steps; h++) {
      now = now.add(change);
      now.toTypedArray().forEach((x, i) => {
        const [origin, column] = [Math.floor(i / columns.length), i % columns.length];
        found[origin]![column]![h] = means[column]! + deviations[column]! * x;
      });
      if (h === steps - 1) break;
      ({ change, state } = scope(() => {
        const input = now.reshape([1, ...now.shape]) as never;
        const next = unroll(model, params, input, { rng: null, state: state as never });
        return { change: (next.outputs as Tensor).slice([0]), state: next.state };
      }));
    }
    return found;
  });
}

/** Reads the rows from one to before another, from a state on. */
function readRows(
  { model, params }: Trained,
  { columns, row }: Series,
  from: number,
  to: number,
  state: unknown,
): Read {
  return scope(() => {
    const rows = Float32Array.from(
      Array.from({ length: to - from }, (_, i) => [...row(from + i)]).flat(),
    );
    const inputs = tensor(rows, { shape: [to - from, 1, columns.length] }) as never;
    const options = { rng: null, ...(state !== undefined && { state: state as never }) };
    const unrolled = unrollPlanned(model, params, inputs, options);
    return { change: (unrolled.outputs as Tensor).slice([-1]), state: unrolled.state };
  });
}

/** States of one row each as one state with all the rows. */
function joined(states: readonly unknown[]): unknown {
  const leaves = states.map((state) => new Map<string, Tensor>(tree.leavesWithPath(state)));
  return tree.map(states[0], (_: Tensor, path) =>
    concat(
      leaves.map((each) => each.get(path)!),
      0,
    ),
  );
}
