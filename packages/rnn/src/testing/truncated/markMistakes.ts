import { ones, zeros } from "@chronograd/autodiff";
import type { Experiment } from "./experiment.ts";
import type { MarkedStep, MarkMistake } from "./marked.ts";

/** A stream whose marks were taken otherwise: what is found in it is what a mistake would find. */
export type MarkedOtherwise = readonly [kind: string, says: string, found: Experiment];

const sentences: Readonly<Record<MarkMistake, string>> = {
  "initial state constant":
    "the learned initial state is held constant, so its parameters get no gradient",
  "reset keeps the gradient":
    "the gradient flows through resets to what lies before: a row that is reset has the new value and the derivative of the old one; select with where(reset, fresh, state)",
  "resets ignored": "resets are ignored: rows go on from the state that they had",
  "state times mask":
    "the state of a row without a step becomes zero: it is multiplied by the mask; select with where(mask, next, state)",
  "masked state goes on": "rows without a step are run all the same, and their state goes on",
  "masked losses": "the losses of rows without a step are in the gradient",
};

/** Mistakes with resets and masks, where the stream has any. */
export function* marksOtherwise(experiment: Experiment): Generator<MarkedOtherwise> {
  const { steps } = experiment;
  const [hasResets, hasMasks] = (["reset", "mask"] as const).map((name) =>
    steps.some((step) => step[name] !== undefined),
  );
  for (const [mistake, says] of Object.entries(sentences) as [MarkMistake, string][]) {
    const isOfReset = /reset|initial/.test(mistake);
    if (mistake === "initial state constant" && experiment.model.initial === undefined) continue;
    if (isOfReset ? hasResets : hasMasks) yield [mistake, says, experiment.with(mistake)];
  }
  for (const [name, has] of [
    ["reset", hasResets],
    ["mask", hasMasks],
  ] as const) {
    if (!has) continue;
    for (const [shift, when] of [
      [1, "late"],
      [-1, "early"],
    ] as const) {
      const says = `every ${name} takes effect one step ${when}`;
      yield [`${name} ${when}`, says, experiment.with(undefined, shifted(experiment, name, shift))];
    }
  }
}

function shifted(
  { steps, batch }: Experiment,
  name: "reset" | "mask",
  shift: number,
): MarkedStep[] {
  return steps.map((step, i) => {
    const mark = steps[i - shift]?.[name];
    const none = (name === "reset" ? zeros : ones)([batch], { dtype: "int32" });
    return { ...step, [name]: mark ?? none };
  });
}
