import { concat, Tape, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { initialState } from "../../initial.ts";
import {
  compareSteps,
  contraction,
  draw,
  law,
  run,
  type Subject,
  type Trajectory,
} from "./subject.ts";

/**
 * The paths of an input's tensors that have a row for each of the batch: those that grow with it.
 */
export function batchedPaths({ input, batch }: Subject): Set<string> {
  const [some, more] = [batch, batch + 1].map((rows) => tree.leavesWithPath(input(rng(0), rows)));
  const larger = new Map(more);
  const isBatched = ([path, x]: readonly [string, Tensor]) =>
    x.shape[0] === batch && larger.get(path)?.shape[0] === batch + 1;
  return new Set(some!.filter(isBatched).map(([path]) => path));
}

/** One row of every tensor of a tree, or of those at some paths. */
export function rowOf<T>(all: T, row: number, paths?: Set<string>): T {
  return tree.map(all, (x: Tensor, path) =>
    paths?.has(path) === false ? x : x.slice([[row, row + 1]]),
  ) as T;
}

/** A row alone is that row in the batch. */
export function rowsApart(subject: Subject): Law {
  return law(
    "rows",
    "a row alone gives what it gives within a batch, bit by bit",
    0,
    (seed, tally) => {
      const { params, state, inputs } = draw(subject, seed);
      const together = run(subject.cell, { params, state, inputs });
      const paths = batchedPaths(subject);
      for (let row = 0; row < subject.batch; row++) {
        const own = inputs.map((x) => rowOf(x, row, paths));
        const alone = run(subject.cell, { params, state: rowOf(state, row), inputs: own });
        compareSteps(tally, alone, rowOf(together, row), `row ${row} alone`);
      }
      return tally;
    },
  );
}

/** The loss of one row has no gradient by another. */
export function rowGradients(subject: Subject): Law {
  return law(
    "row gradients",
    "the gradient of one row's results by another row's state and inputs is absent or exactly zero",
    0,
    (seed, tally) => {
      const { cell, batch } = subject;
      const { params, state, inputs } = draw(subject, seed);
      const tape = new Tape();
      const watched = tape.watch({ state, inputs });
      const { outputs, states } = run(cell, { params, ...watched });
      const paths = batchedPaths(subject);
      for (let row = 0; row < batch; row++) {
        const loss = contraction(seed)(rowOf({ outputs, state: states.at(-1) }, row));
        if (!tape.tracks(loss)) continue;
        for (const [path, g] of tape.gradientIfReached(loss, watched)) {
          const inputPath = /^inputs\.\d+\.?(.*)$/.exec(path)?.[1];
          if (inputPath !== undefined && !paths.has(inputPath)) continue;
          const values = g.toTypedArray();
          for (const [i, value] of values.entries()) {
            const other = Math.floor((i * batch) / values.length);
            if (other === row) continue;
            tally.add(Math.abs(value), () => {
              return `the results of row ${row} have the gradient ${value} by row ${other} of ${path}`;
            });
          }
        }
      }
      return tally;
    },
  );
}

/** Putting one row back to the initial state starts that row afresh, and disturbs no other. */
export function reset(subject: Subject): Law {
  return law(
    "reset",
    "a row that is put back to its initial state goes on as a fresh start, the others as if nothing had been, bit by bit",
    0,
    (seed, tally) => {
      const { cell, batch, steps } = subject;
      const { params, inputs: all, ...drawn } = draw(subject, seed);
      const at = Math.floor(steps / 2);
      const reset = Math.abs(seed) % batch;
      const through = run(cell, { params, inputs: all, ...drawn });
      const start = initialState({ state: cell.state }, 1, { dtype: "float64" });
      const inputs = all.slice(at);
      const state = tree.zip(through.states[at - 1], start, (x, fresh) =>
        concat(Array.from({ length: batch }, (_, i) => (i === reset ? fresh : rowOf(x, i)))),
      );
      const found = run(cell, { params, state, inputs });
      const paths = batchedPaths(subject);
      const own = inputs.map((x) => rowOf(x, reset, paths));
      const alone = run(cell, { params, state: start, inputs: own });
      const undisturbed: Trajectory = {
        outputs: through.outputs.slice(at),
        states: through.states.slice(at),
      };
      for (let row = 0; row < batch; row++) {
        const isReset = row === reset;
        const expected = isReset ? alone : rowOf(undisturbed, row);
        const where = isReset ? `row ${row}, which is reset` : `row ${row}`;
        compareSteps(tally, rowOf(found, row), expected, where, at + 1);
      }
      return tally;
    },
  );
}
