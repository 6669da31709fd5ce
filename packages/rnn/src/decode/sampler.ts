import { type Tensor, tensor } from "@chronograd/autodiff";
import { checkOptions, describeTensor } from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import { textOf } from "../checkDefinition.ts";
import { kindOf } from "../findTensor.ts";
import { type Drawing, drawn, likeliest } from "./draw.ts";

/** How tokens are drawn from logits; all may be combined. */
export interface SamplerOptions {
  /**
   * What logits are divided by before the softmax: below 1 it favours the likely tokens, and 0
   * takes the likeliest. 1 unless given.
   */
  readonly temperature?: number;
  /** Draws among this many of the likeliest tokens; among all unless given. */
  readonly topK?: number;
  /**
   * Draws among the fewest of the likeliest tokens whose probabilities amount to this: above 0, and
   * at most 1, which leaves out none. 1 unless given.
   */
  readonly nucleus?: number;
}

export const samplerOptions: readonly string[] = ["temperature", "topK", "nucleus"];

/**
 * From logits `[..., V]` to int32 tokens `[...]`, each drawn with one `uniform()` of the generator,
 * row by row; a temperature of 0 draws nothing.
 */
export type Sampler = (logits: Tensor, rng?: Rng) => Tensor;

/**
 * Draws tokens from rows of logits.
 *
 * The probabilities are `softmax(logits / temperature)`. `topK` leaves the k likeliest tokens, and
 * `nucleus` the smallest set of the likeliest of these whose share of their probability is at least
 * `nucleus`; what is left is drawn with its relative probabilities. Of equally likely tokens the
 * first ones count as the likeliest, and a logit of -Infinity is never drawn. It computes in
 * float64, with the largest logit subtracted, so that no scale of the logits overflows.
 *
 * Nucleus sampling: Holtzman, Buys, Du, Forbes & Choi 2020, The curious case of neural text
 * degeneration. Top-k sampling: Fan, Lewis & Dauphin 2018, Hierarchical neural story generation.
 *
 * @returns a function `(logits [..., V], rng) -> int32 tokens [...]`, without a gradient
 * @throws for options out of range; when it draws, for logits that are NaN or +Infinity or all
 *   -Infinity, and without a generator unless the temperature is 0
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { sampler } from "@chronograd/rnn/decode";
 *
 * const logits = tensor([[0.5, 0.25, 0.125, 0.125]]).log();
 * const random = rng(1, "sample");
 * sampler({ temperature: 0 })(logits).toArray(); // => [0]
 *
 * // The two likeliest have three quarters of the probability.
 * const draw = sampler({ nucleus: 0.7 });
 * const tokens = Array.from({ length: 300 }, () => draw(logits, random).toArray());
 * [...new Set(tokens.flat())].sort(); // => [0, 1]
 * ```
 */
export function sampler(options: SamplerOptions = {}): Sampler {
  checkOptions("sampler", options, samplerOptions);
  const how = drawingOf(options);
  return (logits, random) => {
    const columns = rowLength(logits);
    if (how.temperature > 0) checkGenerator(random);
    const values = logits.toTypedArray();
    const tokens = new Int32Array(values.length / columns);
    for (let row = 0; row < tokens.length; row++) {
      const own = values.subarray(row * columns, (row + 1) * columns);
      tokens[row] =
        how.temperature === 0
          ? likeliest("sampler", row, own)
          : drawn("sampler", row, own, how, random!.uniform());
    }
    return tensor(tokens, { shape: logits.shape.slice(0, -1), backend: logits.backend });
  };
}

function drawingOf({ temperature = 1, topK = Infinity, nucleus = 1 }: SamplerOptions): Drawing {
  const refuse = (name: string, expected: string, value: unknown): never => {
    throw new RangeError(`sampler: ${name} must be ${expected}, got ${textOf(value)}`);
  };
  if (!(Number.isFinite(temperature) && temperature >= 0)) {
    refuse("temperature", "a finite number of at least 0, 0 for the likeliest token", temperature);
  }
  if (!(topK === Infinity || Number.isInteger(topK)) || topK < 1) {
    refuse("topK", "a whole number of tokens of at least 1", topK);
  }
  if (!(typeof nucleus === "number" && nucleus > 0 && nucleus <= 1)) {
    refuse("nucleus", "a probability above 0 and at most 1", nucleus);
  }
  return { temperature, topK, nucleus };
}

/** How many tokens a row of logits is about. */
function rowLength(logits: Tensor): number {
  const length = (logits as Partial<Tensor> | undefined)?.shape?.at(-1);
  if (length !== undefined && length > 0 && logits.dtype !== "int32") return length;
  const isTensor = (logits as Partial<Tensor> | undefined)?.shape !== undefined;
  throw new TypeError(
    `sampler: logits must be floats [..., V], with a last axis of V tokens, got ${isTensor ? describeTensor(logits) : kindOf(logits)}`,
  );
}

function checkGenerator(random: Rng | undefined): void {
  if (typeof (random as Partial<Rng> | undefined)?.uniform === "function") return;
  throw new TypeError(
    `sampler: a temperature above 0 needs a generator to draw from, as in sample(logits, rng(1, "sample")), got ${kindOf(random)}`,
  );
}
