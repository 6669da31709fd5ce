import { scope, type Tensor, tensor } from "@chronograd/autodiff";
import { crossEntropy, ctcLoss, initialize, linear, type Rng, rng } from "@chronograd/nn";
import { batches, padded } from "@chronograd/nn/data";
import { bidirectional, initialParams, lstm, stacked, unroll } from "@chronograd/rnn";
import { ctcBeamSearch } from "@chronograd/rnn/decode";
import { inputs } from "./features.ts";

/** What is said, and the steps in which it is said. */
export interface Example {
  readonly digits: readonly number[];
  readonly steps: readonly Float32Array[];
}

/** The class of connectionist temporal classification that is no digit. */
export const blank = 10;

/** Two layers of LSTM, each in both directions, and scores of `output` classes. */
export function network(hidden: number, output: number) {
  const encoder = stacked(
    [
      bidirectional(lstm({ input: inputs, hidden })),
      bidirectional(lstm({ input: 2 * hidden, hidden })),
    ],
    { dropout: 0.3 },
  );
  const head = linear({ input: 2 * hidden, output });
  const params = (seed: number) => ({
    encoder: initialParams(encoder, rng(seed, "encoder")),
    head: initialize(head.params, rng(seed, "head")),
  });
  return { encoder, head, params };
}
export type Network = ReturnType<typeof network>;
export type Params = ReturnType<Network["params"]>;

/** Outputs of the encoder `[T, B, 2H]`, 0 behind the end of a row; with a generator, by dropout. */
function encoded(net: Network, params: Params, some: readonly Example[], random: Rng | null) {
  const { values, lengths } = padded(some.map(({ steps }) => steps));
  const options = { lengths, compile: true, rng: random };
  return { outputs: unroll(net.encoder, params.encoder, values, options).outputs, lengths };
}

/** Scores of one digit for each row `[B, 10]`, from the mean of its outputs. */
function digitScores(net: Network, params: Params, some: readonly Example[], random: Rng | null) {
  const { outputs, lengths } = encoded(net, params, some, random);
  const mean = outputs.sum(0).div(tensor(lengths.map((length) => [length])));
  return net.head.apply(params.head, mean);
}

/** Scores of the digits and the blank at each step `[T, B, 11]`. */
export function stepScores(
  net: Network,
  params: Params,
  some: readonly Example[],
  random: Rng | null,
) {
  const { outputs, lengths } = encoded(net, params, some, random);
  return { scores: net.head.apply(params.head, outputs), lengths };
}

/** The loss of examples of one digit each. */
export const digitLoss = (
  net: Network,
  params: Params,
  some: readonly Example[],
  random: Rng | null,
) =>
  crossEntropy(
    digitScores(net, params, some, random),
    some.map(({ digits }) => digits[0]!),
  );

/** The loss of examples of any number of digits, wherever they are. */
export function connectedLoss(
  net: Network,
  params: Params,
  some: readonly Example[],
  random: Rng | null,
): Tensor {
  const { scores, lengths } = stepScores(net, params, some, random);
  return ctcLoss(
    scores,
    some.map(({ digits }) => digits),
    { lengths, blank },
  );
}

/** The digit of each example. */
export function digitsOf(net: Network, params: Params, examples: readonly Example[]): number[] {
  return [...batches(examples, { size: 100 })].flatMap((some) =>
    scope(() => [...digitScores(net, params, some, null).argmax(-1).toTypedArray()]),
  );
}

/** The most probable digits of each example. */
export function spokenDigits(
  net: Network,
  params: Params,
  examples: readonly Example[],
): number[][] {
  return [...batches(examples, { size: 32 })].flatMap((some) =>
    scope(() => {
      const { scores, lengths } = stepScores(net, params, some, null);
      const found = ctcBeamSearch(scores, { lengths, blank });
      return found.map(([best]) => [...best!.labels]);
    }),
  );
}
