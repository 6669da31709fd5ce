import { Tape, tree } from "@chronograd/autodiff";
import { describeType } from "@chronograd/autodiff/internal";
import type { Law } from "@chronograd/autodiff/testing";
import { initialState } from "../../initial.ts";
import { nameOf, type Tally } from "../tally.ts";
import { draw, law, run, type Subject } from "./subject.ts";

/** What a step returns has the shapes that unrolling, batching and optimizers rely on. */
export function shapes(subject: Subject): Law {
  const { cell } = subject;
  return law(
    "shapes",
    "the next state is shaped like the state, outputs begin with the batch, gradients are shaped like parameters",
    0,
    (seed, tally) => {
      for (const batch of [1, subject.batch]) {
        const drawn = draw(subject, seed, { batch, steps: 2 });
        const initial = initialState({ state: cell.state }, batch, { dtype: "float64" });
        for (const [state, when] of [
          [drawn.state, ""],
          [initial, " from the initial state"],
        ] as const) {
          const tape = new Tape();
          const params = tape.watch(drawn.params);
          const { outputs, states } = run(cell, { ...drawn, params, state });
          for (const [t, next] of states.entries()) {
            const where = `step ${t + 1} of ${batch} row${batch === 1 ? "" : "s"}${when}`;
            alike(tally, shapesOf(next), shapesOf(state), `${where}: the next state`);
          }
          checkOutput(tally, outputs[0], batch);
          alike(tally, shapesOf(outputs[1]), shapesOf(outputs[0]), "at step 2, the output");
          const targets = tree
            .leaves({ outputs, states })
            .flatMap((y) => (y.dtype !== "int32" && tape.tracks(y) ? [y.sum()] : []));
          if (targets.length === 0) continue;
          const found = tape.gradientIfReached(targets, params);
          const reached = [...shapesOf(params)].filter(([path]) => found.has(path));
          const gradients = shapesOf(Object.fromEntries(found));
          alike(tally, gradients, new Map(reached), "the gradient of params");
        }
      }
      return tally;
    },
  );
}

/** dtypes and shapes by path: `float64 [2,3]`. */
function shapesOf(all: unknown): Map<string, string> {
  return new Map(tree.leavesWithPath(all).map(([path, x]) => [path, describeType(x)]));
}

function alike(
  tally: Tally,
  found: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
  where: string,
): void {
  for (const path of new Set([...expected.keys(), ...found.keys()])) {
    tally.check(found.get(path) === expected.get(path), () => {
      const [is, like] = [found.get(path) ?? "missing", expected.get(path) ?? "none"];
      return `${nameOf(where, path)} is ${is}, expected ${like}`;
    });
  }
}

function checkOutput(tally: Tally, output: unknown, batch: number): void {
  const leaves = tree.leavesWithPath(output);
  tally.check(leaves.length > 0, () => "the output holds no tensor");
  for (const [path, y] of leaves) {
    const name = nameOf("the output", path);
    const shape = describeType(y);
    const rows = `${batch} rows along its first axis`;
    tally.check(y.shape[0] === batch, () => `${name} is ${shape}, expected ${rows}`);
    tally.check(y.dtype !== "float32", () => `${name} is float32, from float64 arguments`);
    const odd = y.toTypedArray().find((value) => !Number.isFinite(value));
    tally.check(odd === undefined, () => `${name} holds ${odd}`);
  }
}
