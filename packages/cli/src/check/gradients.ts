import { checkGradients, type Law } from "@chronograd/autodiff/testing";
import { unroll } from "@chronograd/rnn";
import { drawInputs, drawParams, type Examination, startOf } from "./examination.ts";

/** How often to draw where differences contradict each other, as next to a kink. */
const draws = 4;

/** First and second derivatives of a sequence, by the public loop. */
export function gradientLaws(examination: Examination): Law[] {
  const { cell, steps, tolerance } = examination;
  // Few rows: differences take six runs for every element.
  const small = { ...examination, batch: 2, steps: Math.min(steps, 3) };
  const f = ({ params, inputs }: { params: unknown; inputs: readonly unknown[] }) =>
    unroll(cell, params, inputs, { state: startOf(cell, params, small.batch) });
  return ([1, 2] as const).map((order) => ({
    name: `order ${order}`,
    statement: `${order === 1 ? "gradients" : "second derivatives"} of ${small.steps} steps by parameters and inputs equal central differences`,
    bound: tolerance,
    measure(seed) {
      for (let draw = 0; ; draw++) {
        const own = seed + 1000 * draw;
        const at = { params: drawParams(small, own), inputs: drawInputs(small, own) };
        const report = checkGradients(f as never, at as never, { order, tolerance, seed });
        const { elements: cases, worst: error, mismatches, undecided } = report;
        if (mismatches.length > 0)
          return { error: Math.max(error, Number.MIN_VALUE), cases, what: String(report) };
        if (undecided.length === 0) return { error, cases };
        if (draw + 1 === draws) return { error: Infinity, cases, what: String(report) };
      }
    },
  }));
}
