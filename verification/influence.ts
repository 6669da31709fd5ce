import { type Tensor, tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { cellTable, checkInfluence, type InfluenceReport } from "@chronograd/rnn/testing";
import { batchOf, cells, loop, loops } from "../packages/rnn/tests/testing/leaking.ts";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";
import { between, oneOf } from "./truncation/problem.ts";

/** Adds what a report compared, and what it found. */
function add(tally: Tally, report: InfluenceReport): void {
  tally.cases += report.results.reduce((sum, { cases }) => sum + cases, 0);
  tally.check(report.ok, () => String(report));
}

/** Every cell of the library, in the loop of the library, under random marks. */
const nothing: Law = {
  name: "nothing leaks",
  statement:
    "no output, state or gradient of a row depends on other rows, padding, what lies before a reset, or later inputs",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "influence");
    const { name, make, input } = oneOf(random, cellTable());
    const [T, B] = [between(random, 2, 6), between(random, 2, 4)];
    const marks = (share: number) => {
      const values = Int32Array.from({ length: T * B }, () => Number(random.uniform() < share));
      return tensor(values, { shape: [T, B] });
    };
    const inputs = Array.from({ length: T }, () => input(random, B));
    const batch = {
      inputs,
      lengths: Array.from({ length: B }, () => between(random, 0, T)),
      mask: marks(0.8),
      resets: marks(0.2),
    };
    add(tally, checkInfluence(make(), batch, { name, seed }));
    add(tally, checkInfluence(make(), { inputs }, { name, seed }));
    add(tally, checkInfluence(loop(), batchOf(seed), { name: "a loop that selects", seed }));
    return tally;
  },
};

const found: Law = {
  name: "leaks are found",
  statement: "planted leaks are found, of their kind, and the op is named",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const batch = batchOf(seed);
    const [name, [cell, op]] = oneOf(rng(seed, "cells"), Object.entries(cells));
    const inputs: Tensor = batch.inputs;
    const [first] = checkInfluence(cell, { inputs }, { seed }).influences;
    tally.check(first?.site?.op === op, () => `${name}: ${first?.message ?? "not found"}`);
    for (const [what, [model, kinds, culprit]] of Object.entries(loops)) {
      const { influences } = checkInfluence(model, batch, { seed });
      const all = [...new Set(influences.map(({ kind }) => kind))].join();
      tally.check(all === kinds.join() && influences[0]?.site?.op === culprit, () => {
        return `${what}: ${influences.map(({ message }) => message).join("\n") || "not found"}`;
      });
    }
    return tally;
  },
};

/** What depends on what must not matter. */
export function influenceSubject(): Subject {
  return { name: "influence", group: "sequences", laws: [nothing, found] };
}
