import { Tape, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { initialState } from "../../cell.ts";
import { nameOf } from "../tally.ts";
import { draw, law, run, type Subject } from "./subject.ts";

/** What a step returns has the shapes that unrolling, batching and optimizers rely on. */
export function shapes(subject: Subject): Law {
  const { cell } = subject;
  return law(
    "shapes",
    "the next state is shaped like the state, outputs begin with the batch, gradients are shaped like parameters",
    0,
    (seed) => {
      const wrong: string[] = [];
      let cases = 0;
      const check = (isRight: boolean, what: () => string): void => {
        cases++;
        if (!isRight) wrong.push(what());
      };
      for (const batch of [1, subject.batch]) {
        const drawn = draw(subject, seed, { batch, steps: 2 });
        const initial = initialState(cell, batch, { dtype: "float64" });
        for (const [state, when] of [
          [drawn.state, ""],
          [initial, " from the initial state"],
        ] as const) {
          const tape = new Tape();
          const watched = tape.watch(drawn.params);
          const { outputs, states } = run(cell, { ...drawn, params: watched, state });
          for (const [t, next] of states.entries()) {
            const where = `step ${t + 1} of ${batch} row${batch === 1 ? "" : "s"}${when}`;
            alike(
              tree.leavesWithPath(next),
              new Map(tree.leavesWithPath(state)),
              `the next state, ${where}`,
              check,
            );
          }
          outputsOf(outputs, batch, check);
          gradients(tape, watched, { outputs, states }, check);
        }
      }
      const what = [...new Set(wrong)].slice(0, 3).join("\n");
      return { error: wrong.length, cases, ...(wrong.length > 0 && { what }) };
    },
  );
}

type Check = (isRight: boolean, what: () => string) => void;
type Leaves = readonly (readonly [path: string, leaf: Tensor])[];

function describe({ dtype, shape }: Tensor): string {
  return `${dtype} [${shape}]`;
}

/** Leaves at the same paths, of the same shapes and dtypes. */
function alike(
  leaves: Leaves,
  expected: ReadonlyMap<string, Tensor>,
  where: string,
  check: Check,
): void {
  const paths = new Set(leaves.map(([path]) => path));
  for (const path of expected.keys()) {
    check(paths.has(path), () => `${where}: ${nameOf("state", path)} is missing`);
  }
  for (const [path, x] of leaves) {
    const like = expected.get(path);
    const isSame = like !== undefined && describe(like) === describe(x);
    check(isSame, () => {
      const want = like === undefined ? "none" : describe(like);
      return `${where}: ${nameOf("state", path)} is ${describe(x)}, expected ${want}`;
    });
  }
}

function outputsOf(outputs: readonly unknown[], batch: number, check: Check): void {
  const leaves = outputs.map((output) => tree.leavesWithPath(output));
  check(leaves[0]!.length > 0, () => "the output holds no tensor");
  for (const [path, y] of leaves[0]!) {
    const name = nameOf("the output", path);
    check(y.shape[0] === batch, () => {
      return `${name} is ${describe(y)}, expected ${batch} rows along its first axis`;
    });
    check(y.dtype !== "float32", () => `${name} is float32, from float64 arguments`);
    const values = y.toTypedArray();
    check(
      values.every(Number.isFinite),
      () => `${name} holds ${values.find((v) => !Number.isFinite(v))}`,
    );
    const second = leaves[1]!.find(([other]) => other === path)?.[1];
    check(second !== undefined && describe(second) === describe(y), () => {
      const got = second === undefined ? "missing" : describe(second);
      return `${name} is ${describe(y)} at step 1 and ${got} at step 2`;
    });
  }
}

/** Every gradient that is there has its parameter's shape. */
function gradients(tape: Tape, params: unknown, reached: unknown, check: Check): void {
  const targets = tree
    .leavesWithPath(reached)
    .flatMap(([, y]) => (y.dtype !== "int32" && tape.tracks(y) ? [y.sum()] : []));
  if (targets.length === 0) return;
  const found = tape.gradientIfReached(targets, params);
  for (const [path, x] of tree.leavesWithPath(params)) {
    const g = found.get(path);
    if (g === undefined) continue;
    check(describe(g) === describe(x), () => {
      return `the gradient of ${nameOf("params", path)} is ${describe(g)}, expected ${describe(x)}`;
    });
  }
}
