import { tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { checkInfluence, type InfluenceKind, type InfluenceReport } from "@chronograd/rnn/testing";
import { drawInputs, drawParams, type Examination } from "./examination.ts";

const statements: Readonly<Record<InfluenceKind, string>> = {
  "other rows": "no row of a batch depends on another",
  padding: "nothing depends on what lies behind the end of a row",
  "before a reset": "nothing depends on what lies before a reset",
  "later inputs": "no output depends on a later input",
  "earlier calls": "the same call gives the same again",
};

/** What must not matter does not, whether or not it has a derivative. */
export function influenceLaws(examination: Examination): Law[] {
  const { cell, steps, batch, name } = examination;
  const reports = new Map<number, InfluenceReport>();
  const reportOf = (seed: number): InfluenceReport => {
    const known = reports.get(seed);
    if (known !== undefined) return known;
    const lengths = Array.from({ length: batch }, (_, row) => Math.max(1, steps - row));
    // Row 1 begins afresh in the middle.
    const middle = batch * Math.floor(steps / 2) + 1;
    const resets = Int32Array.from({ length: steps * batch }, (_, i) => Number(i === middle));
    const inputs = drawInputs(examination, seed);
    const report = checkInfluence(
      cell,
      { inputs, lengths, resets: tensor(resets, { shape: [steps, batch] }) },
      { name, params: drawParams(examination, seed) as never, seed },
    );
    reports.set(seed, report);
    return report;
  };
  return Object.entries(statements).map(([kind, statement]) => ({
    name: kind,
    statement,
    bound: 0,
    measure(seed) {
      const result = reportOf(seed).results.find((each) => each.kind === kind);
      if (result === undefined || result.changes === 0) return undefined;
      const { cases, influences } = result;
      if (influences.length === 0) return { error: 0, cases };
      const what = influences.map(({ message }) => message).join("\n");
      return { error: influences.length, cases, what };
    },
  }));
}
