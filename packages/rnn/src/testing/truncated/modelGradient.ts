import { scope, Tape, Tensor, tree } from "@chronograd/autodiff";
import { runStep } from "../../cell.ts";
import type { Ages, Part } from "./definition.ts";
import type { Experiment } from "./experiment.ts";

/**
 * The gradient of an objective by a plain tape over plain steps: as wrong as the model's own rules are, and right
 * otherwise.
 */
export function modelGradient(
  experiment: Experiment,
  ages: Ages,
  objective: readonly Part[],
): Map<string, Float64Array> {
  experiment.states(ages);
  const total = new Map<string, Float64Array>();
  for (const part of objective) {
    scope(() => {
      for (const [path, g] of tree.leavesWithPath(partGradient(experiment, ages, part))) {
        const before = total.get(path);
        const values = Float64Array.from(g.toTypedArray());
        total.set(path, before === undefined ? values : values.map((x, i) => x + before[i]!));
      }
    });
  }
  return total;
}

function partGradient(experiment: Experiment, ages: Ages, { start, end, weights }: Part): unknown {
  const { model, steps, loss, generations } = experiment;
  const tape = new Tape();
  const watched = new Map<number, unknown>();
  const weightsAt = (t: number): unknown => {
    const age = ages(t);
    const first = watched.values().next();
    const options = first.done === true ? {} : { as: first.value };
    if (!watched.has(age)) watched.set(age, tape.watch(generations[age], options));
    return watched.get(age);
  };
  let state: unknown = tree.map(experiment.states(ages)[start], (x: Tensor) => x.detach());
  const losses: Tensor[] = [];
  for (let t = start + 1; t <= end; t++) {
    const { input, target } = steps[t - 1]!;
    const [output, next] = runStep(model, weightsAt(t), input, state);
    state = next;
    const found = loss(output, target);
    if (found === null || weights[t] === 0) continue;
    const elements = found instanceof Tensor ? found : found.loss;
    if (tape.tracks(elements)) losses.push(elements.sum().mul(weights[t]!));
  }
  return tape.gradient(losses, weightsAt(end));
}
