import { tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { checkTruncated, type ModeResult } from "@chronograd/rnn/testing";
import { drawInputs, drawParams, type Examination, lossOf } from "./examination.ts";

const statements = {
  carry: "windows with carried activations",
  recompute: "windows that run the overlap again",
  defer: "windows with one update per sequence",
} as const;

/** Each window's gradient is that of its surrogate, in every mode. */
export function truncatedLaws(examination: Examination): Law[] {
  const { cell, k1, k2, tolerance, name } = examination;
  return (["carry", "recompute", "defer"] as const).map((stale) => ({
    name: stale,
    statement: `${statements[stale]} (k1 ${k1}, k2 ${k2}) have the gradient of their losses with the state at the cut held constant`,
    bound: tolerance,
    measure(seed) {
      const stream = drawInputs({ ...examination, steps: k2 + 3 * k1 + 2 }, seed).map((input) => ({
        input,
        target: null,
      }));
      const params = drawParams(examination, seed) as never;
      // Without parameters no window has a gradient.
      if (tree.leaves(params).every(({ dtype }) => dtype === "int32")) return undefined;
      const loss = (output: unknown) => lossOf(output);
      const options = { name, params, k1, k2, loss, stale, tolerance, seed };
      const { modes } = checkTruncated(cell, stream, options);
      const what = modes.flatMap(sentences).join("\n");
      const cases = modes.reduce((sum, mode) => sum + mode.cases, 0);
      const worst = Math.max(...modes.map((mode) => mode.worst));
      if (what === "") return { error: worst, cases };
      const isUndecided = modes.every(({ failures }) => failures.length === 0);
      return { error: isUndecided ? Infinity : Math.max(worst, Number.MIN_VALUE), cases, what };
    },
  }));
}

/** What is wrong in one mode. */
function sentences({ losses, reduction, failures, undecided }: ModeResult): string[] {
  if (failures.length === 0 && undecided > 0) {
    return [`${undecided} derivatives undecided: at a kink, or where the cell is ill-conditioned`];
  }
  return failures.map(
    ({ message, diagnosis }) =>
      `losses ${losses}, ${reduction}: ${message}${diagnosis === "" ? "" : `; ${diagnosis}`}`,
  );
}
