import { scope, Tape, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { nameOf, Tally } from "../tally.ts";
import { type Case, draw, law, run, type Subject, type Trajectory } from "./subject.ts";

/** A step leaves what it is given as it was: elements, versions, and the objects around them. */
export function purity(subject: Subject): Law {
  return law("purity", "a step changes neither parameters nor state nor input", 0, (seed) => {
    const tally = new Tally();
    const drawn = draw(subject, seed, { steps: 1 });
    const before = [
      snapshot(drawn.params, "params"),
      snapshot(drawn.state, "state"),
      snapshot(drawn.inputs[0], "the input"),
    ];
    scope(() => run(subject.cell, drawn));
    for (const compare of before) compare(tally);
    if (tally.error > 0) return tally.finding();
    const tape = new Tape();
    run(subject.cell, { ...drawn, params: tape.watch(drawn.params) });
    for (const compare of before) compare(tally);
    return tally.finding();
  });
}

/** What a tree is now; the result compares it with what it is then. */
function snapshot(nested: unknown, name: string): (tally: Tally) => void {
  const leaves = tree.leavesWithPath(nested).map(([path, x]) => {
    return { path, x, values: x.toTypedArray(), version: x.block.version };
  });
  return (tally) => {
    const now = new Map(tree.leavesWithPath(nested));
    for (const { path, x, values, version } of leaves) {
      const leaf = nameOf(name, path);
      tally.check(now.get(path) === x, () => `${leaf} was replaced by another tensor`);
      const after = x.toTypedArray();
      const i = after.findIndex((value, at) => !Object.is(value, values[at]));
      tally.check(
        i < 0,
        () => `${leaf} was written to: element ${i} was ${values[i]}, is ${after[i]}`,
      );
      const raised = x.block.version;
      tally.check(raised === version, () => {
        return `${leaf} was opened for writing (its version went from ${version} to ${raised})`;
      });
    }
    const extra = [...now.keys()].find((path) => !leaves.some((leaf) => leaf.path === path));
    tally.check(extra === undefined, () => `${nameOf(name, extra!)} was added`);
  };
}

/** The same arguments give the same results, wherever the bytes lie and whether a tape looks on or not. */
export function repeats(subject: Subject): Law {
  return law(
    "repeats",
    "the same arguments give the same results, bit by bit, on a tape and off",
    0,
    (seed) => {
      const { cell } = subject;
      const drawn = draw(subject, seed);
      const first = run(cell, drawn);
      const tally = new Tally();
      const compare = (again: Trajectory, when: string): void => {
        for (const [i, output] of first.outputs.entries()) {
          tally.trees(again.outputs[i], output, `${when}, step ${i + 1}: output`);
          tally.trees(again.states[i], first.states[i], `${when}, step ${i + 1}: state`);
        }
      };
      compare(run(cell, elsewhere(drawn)), "once more");
      const tape = new Tape();
      const watched = tape.watch(drawn) as Case;
      compare(run(cell, watched), "on a tape");
      return tally.finding();
    },
  );
}

/** The same case at other addresses. */
function elsewhere(drawn: Case): Case {
  const copy = (nested: unknown): unknown => tree.map(nested, (x: Tensor) => x.clone());
  return { params: copy(drawn.params), state: copy(drawn.state), inputs: drawn.inputs.map(copy) };
}
