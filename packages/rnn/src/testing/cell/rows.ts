import { concat, Tape, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { initialState } from "../../cell.ts";
import { Tally } from "../tally.ts";
import { type Case, contraction, draw, law, run, type Subject } from "./subject.ts";

/** Takes one row of an input: of those leaves that grow with the batch. */
function rowOfInput(subject: Subject): (input: unknown, row: number) => unknown {
  const { batch } = subject;
  const larger = new Map(tree.leavesWithPath(subject.input(rng(0), batch + 1)));
  return (input, row) =>
    tree.map(input, (x: Tensor, path) =>
      x.shape[0] === batch && larger.get(path)?.shape[0] === batch + 1 ? rowOf(x, row) : x,
    );
}

function rowOf(x: Tensor, row: number): Tensor {
  return x.slice([[row, row + 1]]);
}

function rowOfTree(nested: unknown, row: number): unknown {
  return tree.map(nested, (x: Tensor) => rowOf(x, row));
}

/** A row alone is that row in the batch. */
export function rowsApart(subject: Subject): Law {
  return law("rows", "a row alone gives what it gives within a batch, bit by bit", 0, (seed) => {
    const { cell, batch, steps } = subject;
    const drawn = draw(subject, seed);
    const together = run(cell, drawn);
    const only = rowOfInput(subject);
    const tally = new Tally();
    for (let row = 0; row < batch; row++) {
      const alone = run(cell, {
        params: drawn.params,
        state: rowOfTree(drawn.state, row),
        inputs: drawn.inputs.map((x) => only(x, row)),
      });
      for (let i = 0; i < steps; i++) {
        const where = `row ${row} alone, step ${i + 1}, the`;
        tally.trees(alone.outputs[i], rowOfTree(together.outputs[i], row), `${where} output`);
        tally.trees(alone.states[i], rowOfTree(together.states[i], row), `${where} state`);
      }
    }
    return tally.finding();
  });
}

/** The loss of one row has no gradient by another. */
export function rowGradients(subject: Subject): Law {
  return law(
    "row gradients",
    "the gradient of one row's results by another row's state and inputs is absent or exactly zero",
    0,
    (seed) => {
      const { cell, batch } = subject;
      const drawn = draw(subject, seed);
      const tape = new Tape();
      const watched = tape.watch({ state: drawn.state, inputs: drawn.inputs }) as Omit<
        Case,
        "params"
      >;
      const { outputs, states } = run(cell, { params: drawn.params, ...watched });
      const larger = new Map(tree.leavesWithPath(subject.input(rng(0), batch + 1)));
      const tally = new Tally();
      for (let row = 0; row < batch; row++) {
        const loss = contraction(seed)(rowOfTree({ outputs, state: states.at(-1) }, row));
        if (!tape.tracks(loss)) continue;
        for (const [path, g] of tape.gradientIfReached(loss, watched)) {
          const inputPath = /^inputs\.\d+\.?(.*)$/.exec(path)?.[1];
          const isRows = inputPath === undefined || larger.get(inputPath)?.shape[0] === batch + 1;
          if (!isRows) continue;
          const values = g.toTypedArray();
          const perRow = values.length / batch;
          for (const [i, value] of values.entries()) {
            const other = Math.floor(i / perRow);
            if (other === row) continue;
            tally.add(Math.abs(value), () => {
              return `the results of row ${row} have the gradient ${value} by row ${other} of ${path}`;
            });
          }
        }
      }
      return tally.finding();
    },
  );
}

/** Putting one row back to the initial state starts that row afresh, and disturbs no other. */
export function reset(subject: Subject): Law {
  return law(
    "reset",
    "a row that is put back to its initial state goes on as a fresh start, the others as if nothing had been, bit by bit",
    0,
    (seed) => {
      const { cell, batch, steps } = subject;
      const drawn = draw(subject, seed);
      const at = Math.floor(steps / 2);
      const row = Math.abs(seed) % batch;
      const through = run(cell, drawn);
      const start = initialState(cell, 1, { dtype: "float64" });
      const inputs = drawn.inputs.slice(at);
      const state = tree.zip(through.states[at - 1], start, (x, fresh) => {
        const parts = [fresh];
        if (row > 0) parts.unshift(x.slice([[0, row]]));
        if (row < batch - 1) parts.push(x.slice([[row + 1, batch]]));
        return concat(parts);
      });
      const after = run(cell, { ...drawn, state, inputs });
      const only = rowOfInput(subject);
      const alone = run(cell, {
        params: drawn.params,
        state: start,
        inputs: inputs.map((x) => only(x, row)),
      });
      const tally = new Tally();
      for (let i = 0; i < inputs.length; i++) {
        for (const what of ["outputs", "states"] as const) {
          const name = `step ${at + i + 1}, ${what === "outputs" ? "output" : "state"}`;
          const found = after[what][i];
          tally.trees(rowOfTree(found, row), alone[what][i], `${name} of the reset row ${row}`);
          for (let other = 0; other < batch; other++) {
            if (other === row) continue;
            const undisturbed = rowOfTree(through[what][at + i], other);
            tally.trees(rowOfTree(found, other), undisturbed, `${name} of row ${other}`);
          }
        }
      }
      return tally.finding();
    },
  );
}
