import { scope, type Tensor, tensor } from "@chronograd/autodiff";
import { crossEntropy, embedding, linear, type Rng } from "@chronograd/nn";
import { elman, gru, initialState, lstm, sequential, type Values } from "@chronograd/rnn";
import { lanes } from "./corpus.ts";
import type { Options } from "./options.ts";

const cells = { lstm, gru, elman } as const;

/** Characters in, scores of the next character out. */
export function characterModel(
  { cell, hidden }: Pick<Options, "cell" | "hidden">,
  characters: number,
) {
  const size = Math.max(2, hidden >> 1);
  const make = cells[cell] as typeof lstm;
  return sequential({
    embedding: embedding({ input: characters, output: size }),
    cell: make({ input: size, hidden }),
    head: linear({ input: hidden, output: characters }),
  });
}

/** A character model, its parameters and its state. */
export type Model = ReturnType<typeof characterModel>;
export type Params = Values<Model["params"]>;
export type State = Values<Model["state"]>;

/**
 * Mean loss in nats per character over the first `steps` characters of each of `batch` places of a
 * text.
 */
export function evaluate(
  model: Model,
  params: Params,
  codes: Int32Array,
  batch: number,
  steps: number,
): number {
  const rows = Math.max(1, Math.min(batch, Math.floor(codes.length / 2)));
  const length = Math.min(steps, Math.floor((codes.length - 1) / rows));
  let total = 0;
  let state = initialState(model, rows);
  let t = 0;
  for (const { input, target } of lanes(codes, rows)) {
    state = scope(() => {
      const [logits, next] = model.step(params, input, state);
      total += crossEntropy(logits as Tensor, target, { reduction: "none" })
        .sum()
        .item();
      return next;
    });
    if (++t === length) break;
  }
  return total / (rows * length);
}

/** Characters drawn one by one from the model's own predictions, sharpened by a low temperature. */
export function sample(
  model: Model,
  params: Params,
  characters: readonly string[],
  random: Rng,
  { length, temperature }: { length: number; temperature: number },
): string {
  let text = "";
  let state = initialState(model, 1);
  let code = Math.max(0, characters.indexOf("\n"));
  for (let i = 0; i < length; i++) {
    state = scope(() => {
      const [logits, next] = model.step(params, tensor(Int32Array.of(code)), state);
      const probabilities = (logits as Tensor)
        .mul(1 / temperature)
        .softmax()
        .toTypedArray();
      code = draw(probabilities, random.uniform());
      return next;
    });
    text += characters[code];
  }
  return text;
}

/** The first position at which the running sum of probabilities passes `u`. */
function draw(probabilities: ArrayLike<number>, u: number): number {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    sum += probabilities[i]!;
    if (u < sum) return i;
  }
  return probabilities.length - 1;
}
