import { accuracy } from "@chronograd/nn/metrics";
import { ofFirst } from "../../ranks.ts";
import { templateMatching } from "./baseline.ts";
import { digitLoss, digitsOf, network } from "./model.ts";
import type { Recording } from "./recordings.ts";
import { processorSeconds, type Surroundings, trained } from "./train.ts";
import { exampleOf } from "./utterances.ts";

/** Trains on some recordings: the share of others that is read rightly. */
export async function singleDigits(
  what: string,
  training: readonly Recording[],
  test: readonly Recording[],
  settings: { readonly seed: number; readonly hidden: number; readonly epochs: number },
  surroundings: Surroundings,
) {
  const began = processorSeconds();
  const net = network(settings.hidden, 10);
  const examples = (some: readonly Recording[]) =>
    some.map(({ digit, samples }) => exampleOf({ digits: [digit], samples }));
  const heard = examples(training);
  const params = await trained(
    net,
    {
      ...{ what, ...settings, size: 32, peak: 5e-3, loss: digitLoss },
      examples: () => heard,
    },
    surroundings,
  );
  const digits = test.map(({ digit }) => digit);
  const { communicator } = surroundings;
  const value = ofFirst(communicator, () =>
    accuracy(digitsOf(net, params, examples(test)), digits),
  );
  const seconds = processorSeconds() - began;
  const matched = ofFirst(communicator, () => {
    const match = templateMatching(training);
    return accuracy(
      test.map(({ samples }) => match(samples)),
      digits,
    );
  });
  return {
    what,
    unit: "% right",
    value: 100 * value,
    better: "higher",
    baselines: { "template matching": 100 * matched },
    seconds,
  };
}
