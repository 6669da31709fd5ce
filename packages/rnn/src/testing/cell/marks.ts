import { Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { type Rng, rng } from "@chronograd/nn";
import { initialState } from "../../initial.ts";
import { unroll } from "../../unroll.ts";
import type { PlainCell } from "../draw.ts";
import { batchedPaths, rowOf } from "./rows.ts";
import { type Case, contraction, draw, law, run, type Subject } from "./subject.ts";

/** Which rows of which steps there are and begin afresh: `[t][row]`. */
interface Marks {
  readonly mask: readonly (readonly number[])[];
  readonly resets: readonly (readonly number[])[];
}

/** One row has no step at all where there are three, and one step no row. */
function drawMarks(random: Rng, steps: number, batch: number): Marks {
  const gone = batch > 2 ? random.integer(0, batch) : -1;
  const empty = random.integer(0, steps);
  const table = (isOne: (t: number, row: number) => boolean) =>
    Array.from({ length: steps }, (_, t) =>
      Array.from({ length: batch }, (__, row) => Number(isOne(t, row))),
    );
  return {
    mask: table((t, row) => t !== empty && row !== gone && random.uniform() < 0.7),
    resets: table(() => random.uniform() < 0.3),
  };
}

/** What no op may read: NaN, and an index that is not there. */
function spoiled(x: Tensor, present: readonly number[]): Tensor {
  const width = x.size / present.length;
  const values = x
    .toTypedArray()
    .map((value, i) =>
      present[Math.floor(i / width)] === 1 ? value : x.dtype === "int32" ? -1 : Number.NaN,
    );
  return tensor(values, { shape: x.shape, backend: x.backend });
}

/** A row alone with the steps that it has, from where it begins last. */
function alone(
  cell: PlainCell,
  drawn: Case,
  { mask, resets }: Marks,
  row: number,
  paths: Set<string>,
) {
  const outputs = new Map<number, unknown>();
  let state = rowOf(drawn.state, row);
  for (const [t, input] of drawn.inputs.entries()) {
    if (resets[t]![row] === 1) {
      state =
        cell.initial?.(drawn.params, 1) ??
        initialState({ state: cell.state }, 1, { dtype: "float64" });
    }
    if (mask[t]![row] !== 1) continue;
    const inputs = [rowOf(input, row, paths)];
    const { outputs: found, states } = run(cell, { params: drawn.params, state, inputs });
    outputs.set(t, found[0]);
    state = states[0];
  }
  return { outputs, state };
}

/** Whether a row is reset before the first of its steps. */
function isFreshBefore({ mask, resets }: Marks, row: number): boolean {
  const first = mask.findIndex((each) => each[row] === 1);
  return first >= 0 && resets.slice(0, first + 1).some((each) => each[row] === 1);
}

/** A batch with marks is its rows, and its padding is never read. */
export function marked(subject: Subject): Law {
  const { cell, steps, batch } = subject;
  return law(
    "marks",
    "each row of a batch with masks and resets gives what it gives alone with the steps that it has, bit by bit; NaN in the padding reaches nothing forward or backward, and nothing flows back through a reset: exactly zero",
    0,
    (seed, tally) => {
      const drawn = draw(subject, seed);
      const paths = batchedPaths(subject);
      const shared = tree.leavesWithPath(drawn.inputs[0]).some(([path]) => !paths.has(path));
      // What all rows share has no rows to choose from.
      if (shared) return tally;
      const marks = drawMarks(rng(seed, "marks"), steps, batch);
      const { mask, resets } = marks;
      const table = (rows: Marks["mask"]) =>
        tensor(Int32Array.from(rows.flat()), { shape: [steps, batch] });
      const inputs = drawn.inputs.map((x, t) =>
        tree.map(x, (leaf: Tensor) => spoiled(leaf, mask[t]!)),
      );
      const tape = new Tape();
      const watched = tape.watch({ ...drawn, inputs }) as Case;
      const found = unroll(cell, watched.params, watched.inputs, {
        state: watched.state,
        mask: table(mask),
        resets: table(resets),
        rng: null,
      });
      for (let row = 0; row < batch; row++) {
        const own = alone(cell, drawn, marks, row, paths);
        for (let t = 0; t < steps; t++) {
          const output = tree.map(found.outputs, (y: Tensor) => y.slice([t, [row, row + 1]]));
          const like = tree.map(output, (y: Tensor) => y.mul(0));
          const where = `row ${row}, step ${t + 1}: output`;
          const expected = own.outputs.get(t) ?? like;
          tally.trees(tree.map(output, positive), tree.map(expected, positive), where);
        }
        tally.trees(rowOf(found.state, row), own.state, `row ${row}: state`);
      }
      const loss = contraction(seed)(found);
      if (!tape.tracks(loss)) return tally;
      for (const [path, g] of tape.gradientIfReached(loss, watched)) {
        const step = /^inputs\.(\d+)/.exec(path);
        for (const [i, value] of g.toTypedArray().entries()) {
          const row = Math.floor((i * batch) / g.size);
          const isOutside =
            step !== null
              ? mask[Number(step[1])]![row] !== 1
              : path.startsWith("state") && isFreshBefore(marks, row);
          const is = isOutside ? value === 0 : Number.isFinite(value);
          tally.check(is, () => {
            const what =
              step === null ? "which is reset before its first step" : "which has no step there";
            return isOutside
              ? `the gradient by row ${row} of ${path}, ${what}, is ${value}, not zero`
              : `the gradient by ${path} holds ${value}: padding reaches it`;
          });
        }
      }
      return tally;
    },
  );
}

/** 0 for a negative zero, which a product with 0 may give. */
const positive = (x: Tensor): Tensor => (x.dtype === "int32" ? x : x.add(0));
