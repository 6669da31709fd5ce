import { concat, scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { initialState } from "@chronograd/rnn";
import { fixedPoints, visitedStates } from "@chronograd/rnn/flow";
import { drawFixedPoints } from "../flow/fixedPoints.ts";
import type { Instrument, Subject } from "./instrument.ts";
import { rowOf } from "./states.ts";
import { firstRows } from "./stretch.ts";

/** Components of the states that are started from: few where a state is large. */
const numbers = 1024;

/** States that the model stays at, under the input that comes most often. */
export const fixed: Instrument = (subject) => {
  return scope(() => {
    const { model, params, steps, rows } = subject;
    const size = rowOf(initialState(model, 1), 0).length;
    const searches = Math.max(2, Math.min(8, Math.floor(numbers / size)));
    const starts = visitedStates(model, params, steps, { rng: null, count: searches });
    const options = { input: usualInput(subject), starts: starts as never, steps: 60 };
    const data = fixedPoints(model, params, options as never);
    const first = rows === 1 ? steps : steps.map((step) => firstRows(step, 1));
    const course = visitedStates(model, params, first, { rng: null, count: first.length });
    const kept = tree.leaves(course)[0]!.shape[0]!;
    const visited = Array.from({ length: kept }, (_, t) => rowOf(course, t));
    const of = (kind: "fixed" | "slow") => data.points.filter((point) => point.kind === kind);
    const stable = of("fixed").filter(({ isStable }) => isStable).length;
    const some =
      of("fixed").length === 0
        ? "none"
        : `${of("fixed").length}, of which ${stable || "none"} ${stable > 1 ? "attract" : "attracts"}`;
    return {
      data,
      lines: [
        `fixed points under the usual input, from ${data.starts} searches: ${some}; slow points: ${of("slow").length || "none"}`,
      ],
      sections: [
        {
          heading: "Fixed points",
          note: "Where the state would stay under the usual input: the token that comes most often, or the mean of the rows. Filled: a fixed point; hollow: a slow one; blue attracts, orange does not. The line is the state of the first row in time. At the right the eigenvalues of the Jacobians there.",
          html: drawFixedPoints(data, visited),
        },
      ],
    };
  });
};

/** A row of whole numbers that comes most often; of floats, their mean. */
function usualInput({ steps }: Subject): Tensor {
  const inputs = steps.map(({ input }) => input as Tensor);
  const [first] = inputs as [Tensor];
  if (first.dtype !== "int32") {
    return concat(inputs, 0)
      .mean(0)
      .reshape([1, ...first.shape.slice(1)]);
  }
  const counts = new Map<number, number>();
  for (const x of inputs) {
    for (const value of x.toTypedArray()) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1])[0]!;
  return tensor(Int32Array.of(most), { shape: [1, ...first.shape.slice(1)] });
}
