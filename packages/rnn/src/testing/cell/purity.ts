import { scope, Tape, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { nameOf, type Tally } from "../tally.ts";
import { type Case, compareSteps, draw, law, run, type Subject } from "./subject.ts";

/** A step leaves what it is given as it was: elements, versions, and the objects around them. */
export function purity({ cell, ...subject }: Subject): Law {
  return law(
    "purity",
    "a step changes neither parameters nor state nor input",
    0,
    (seed, tally) => {
      const drawn = draw({ cell, ...subject }, seed, { steps: 1 });
      const before = [
        snapshot(drawn.params, "params"),
        snapshot(drawn.state, "state"),
        snapshot(drawn.inputs[0], "the input"),
      ];
      scope(() => run(cell, drawn));
      for (const compare of before) compare(tally);
      if (tally.error > 0) return tally;
      run(cell, { ...drawn, params: new Tape().watch(drawn.params) });
      for (const compare of before) compare(tally);
      return tally;
    },
  );
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

/**
 * The same arguments give the same results, wherever the bytes lie and whether a tape records or
 * not.
 */
export function repeats(subject: Subject): Law {
  return law(
    "repeats",
    "the same arguments give the same results, bit by bit, on a tape and off",
    0,
    (seed, tally) => {
      const drawn = draw(subject, seed);
      const first = run(subject.cell, drawn);
      const elsewhere = tree.map(drawn, (x: Tensor) => x.clone()) as Case;
      compareSteps(tally, run(subject.cell, elsewhere), first, "once more");
      const watched = new Tape().watch(drawn) as Case;
      compareSteps(tally, run(subject.cell, watched), first, "on a tape");
      return tally;
    },
  );
}
