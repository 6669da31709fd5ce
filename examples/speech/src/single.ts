import { accuracy } from "@chronograd/nn/metrics";
import { templateMatching } from "./baseline.ts";
import { stepsOf } from "./features.ts";
import { digitLoss, digitsOf, network } from "./model.ts";
import type { Recording } from "./recordings.ts";
import { type Surroundings, trained } from "./train.ts";

/** Trains on some recordings: the share of others that is read rightly. */
export function singleDigits(
  what: string,
  training: readonly Recording[],
  test: readonly Recording[],
  settings: { readonly seed: number; readonly hidden: number; readonly epochs: number },
  around: Surroundings,
) {
  const examples = (some: readonly Recording[]) =>
    some.map(({ digit, samples }) => ({ digits: [digit], steps: stepsOf(samples) }));
  const net = network(settings.hidden, 10);
  const own = examples(training);
  const params = trained(
    net,
    { what, ...settings, size: 32, peak: 5e-3, examples: () => own, loss: digitLoss },
    around,
  );
  const digits = test.map(({ digit }) => digit);
  const match = templateMatching(training);
  const matched = test.map(({ samples }) => match(samples));
  return {
    what,
    unit: "% right",
    value: 100 * accuracy(digitsOf(net, params, examples(test)), digits),
    better: "higher",
    baselines: { "template matching": 100 * accuracy(matched, digits) },
  };
}
