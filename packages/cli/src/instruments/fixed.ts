import { concat, scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { fixedPoints } from "@chronograd/rnn/flow";
import { drawFixedPoints } from "../flow/fixedPoints.ts";
import type { Instrument, Subject } from "./instrument.ts";
import { rowOf, statesAlong } from "./states.ts";

/** Components of the states that are started from: few where a state is large. */
const numbers = 1024;

/** States that the model stays at, under the input that comes most often. */
export const fixed: Instrument = (subject) => {
  const { model, params } = subject;
  return scope(() => {
    const states = [...statesAlong(subject)];
    const size = rowOf(states[0], 0).length;
    const searches = Math.max(2, Math.min(8, Math.floor(numbers / size)));
    const every = Math.ceil(states.length / Math.ceil(searches / subject.rows));
    const chosen = states.filter((_, i) => (i + 1) % every === 0 || i === states.length - 1);
    const starts = tree.map(chosen[0], (_: Tensor, path) => {
      const leaves = chosen.map((each) => leafAt(each, path));
      return concat(leaves, 0).slice([[0, Math.min(searches, leaves.length * subject.rows)]]);
    });
    const options = { input: usualInput(subject), starts: starts as never, steps: 60 };
    const data = fixedPoints(model, params, options as never);
    const visited = states.map((state) => rowOf(state, 0));
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

function leafAt(nested: unknown, path: string): Tensor {
  return tree.leavesWithPath(nested).find(([at]) => at === path)![1];
}

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
