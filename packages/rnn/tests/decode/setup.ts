import { type Backend, tensor } from "@chronograd/autodiff";
import { embedding, linear, rng } from "@chronograd/nn";
import type { LengthPenalty } from "../../src/decode.ts";
import { elman, initialParams, lstm, sequential, unroll, type Values } from "../../src/index.ts";

/** A language model of `tokens` tokens, and its parameters, in float64. */
export function languageModel(tokens: number, seed: number, backend?: Backend) {
  const model = sequential({
    embedding: embedding({ input: tokens, output: 3 }),
    lower: elman({ input: 3, hidden: 4 }),
    upper: lstm({ input: 4, hidden: 4 }),
    head: linear({ input: 4, output: tokens }),
  });
  const drawn = initialParams(model, rng(seed), {
    dtype: "float64",
    ...(backend && { backend }),
  });
  // Logits far apart, so that sequences have different probabilities.
  const params = { ...drawn, head: { ...drawn.head, W: drawn.head.W.mul(4) } };
  return { model, params };
}

type Model = ReturnType<typeof languageModel>["model"];

/** The logarithm of the probability of each token of a text after the ones before it. */
export function logProbabilities(
  model: Model,
  params: Values<Model["params"]>,
  text: readonly number[],
): number[] {
  const { outputs } = unroll(model, params, symbols(text.slice(0, -1).map((token) => [token])));
  const logs = outputs.logSoftmax().toArray() as number[][][];
  return text.slice(1).map((token, t) => logs[t]![0]![token]!);
}

const symbols = (steps: number[][]) => tensor(steps, { dtype: "int32" });

/** Length penalties, and what each divides by. */
export const penalties: [string, LengthPenalty | undefined, (n: number) => number][] = [
  ["none", undefined, () => 1],
  ["Wu et al., 0.6", 0.6, (n) => ((5 + n) / 6) ** 0.6],
  ["the mean per token", (n) => n, (n) => n],
];
