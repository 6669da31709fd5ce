import { rng } from "@chronograd/nn";
import { errorRate } from "@chronograd/nn/metrics";
import { ofFirst } from "../../ranks.ts";
import { loudStretches, templateMatching } from "./baseline.ts";
import { blank, connectedLoss, network, spokenDigits } from "./model.ts";
import type { Recording } from "./recordings.ts";
import { processorSeconds, type Surroundings, trained } from "./train.ts";
import { exampleOf, utterances } from "./utterances.ts";

/** Trains on recordings one after another: the share of digits of others that is read wrongly. */
export async function connectedDigits(
  training: readonly Recording[],
  test: readonly Recording[],
  settings: { readonly seed: number; readonly hidden: number; readonly epochs: number },
  surroundings: Surroundings,
) {
  const what = "connected digits";
  const began = processorSeconds();
  const net = network(settings.hidden, blank + 1);
  const params = await trained(
    net,
    {
      ...{ what, ...settings, size: 16, peak: 5e-3, loss: connectedLoss },
      examples: (random) =>
        utterances(training, { least: 1, most: 7, pause: 0.4 }, random).map(exampleOf),
    },
    surroundings,
  );
  // The same utterances for every seed.
  const spoken = utterances(test, { least: 3, most: 7, pause: 0.4 }, rng(0, "test"));
  const digits = spoken.map((each) => each.digits);
  const { communicator } = surroundings;
  const value = ofFirst(communicator, () =>
    errorRate(spokenDigits(net, params, spoken.map(exampleOf)), digits),
  );
  const seconds = processorSeconds() - began;
  const matched = ofFirst(communicator, () => {
    const match = templateMatching(training);
    return errorRate(
      spoken.map(({ samples }) => loudStretches(samples).map(match)),
      digits,
    );
  });
  const baselines = { "loud stretches, template matching": 100 * matched };
  const figure = {
    what,
    unit: "% errors",
    value: 100 * value,
    better: "lower",
    baselines,
    seconds,
  };
  return { figure, net, params, spoken };
}
