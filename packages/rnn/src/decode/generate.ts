import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { textOf } from "../checkDefinition.ts";
import { rowsOf } from "../checkRows.ts";
import { checkState } from "../checkState.ts";
import { copied } from "./carried.ts";
import { type Prompt, promptOf, tokenTensor } from "./prompt.ts";
import { readPrompt } from "./readPrompt.ts";
import { type Sampler, type SamplerOptions, sampler, samplerOptions } from "./sampler.ts";

/** What to generate, and how tokens are drawn. */
export interface GenerateOptions<State> extends SamplerOptions {
  /**
   * The tokens that the model reads first, at least one: a list, or int32 `[T]`, for all rows, or
   * int32 `[T, rows]`.
   */
  readonly prompt: ArrayLike<number> | Tensor;
  /** How many tokens to draw in every row; `Infinity` for as long as they are asked for. */
  readonly length: number;
  /** What tokens are drawn with; it may be left out where `temperature` is 0. */
  readonly rng?: Rng;
  /** The state before the prompt; the model's initial state unless given. It is not released. */
  readonly state?: Values<State>;
  /**
   * Sequences that are drawn side by side; those of the prompt or the state, or 1, unless given.
   */
  readonly rows?: number;
}

/**
 * Tokens that follow a prompt, drawn one after another: each is what the model reads next.
 *
 * The state is carried from step to step, and only the present one is in memory. Models with noise
 * run without it.
 *
 * @param model a cell that reads int32 tokens `[rows]` and puts out logits `[rows, V]`, such as
 *   `sequential({ embedding, cell, head })`
 * @returns a generator of lists of tokens, one for each row; it returns the state after all tokens
 *   but the last one, with which `generate` goes on from that token as its prompt
 * @throws for an empty prompt, for rows that do not fit, for a model that puts out no logits; and
 *   as `sampler` does
 *
 * @example
 * ```ts
 * import { embedding, linear, rng } from "@chronograd/nn";
 * import { initialParams, lstm, sequential } from "@chronograd/rnn";
 * import { generate } from "@chronograd/rnn/decode";
 *
 * const letters = "abcdefgh";
 * const model = sequential({
 *   embedding: embedding({ input: 8, output: 4 }),
 *   cell: lstm({ input: 4, hidden: 6 }),
 *   head: linear({ input: 6, output: 8 }),
 * });
 * const params = initialParams(model, rng(1));
 *
 * let text = "head";
 * const prompt = Array.from(text, (letter) => letters.indexOf(letter));
 * const options = { prompt, length: 12, temperature: 0.7, rng: rng(1, "sample") };
 * for (const [token] of generate(model, params, options)) text += letters[token!];
 * [text.length, text.startsWith("head")]; // => [16, true]
 * ```
 */
export function generate<Params, State>(
  model: Cell<Params, State>,
  params: Values<Params>,
  options: GenerateOptions<State>,
): Generator<number[], Values<State>> {
  const where = "generate";
  checkCell(where, model, "step", "generate with a model whose every part has a step");
  const own = ["prompt", "length", "rng", "state", "rows"];
  checkOptions(where, options ?? null, [...own, ...samplerOptions]);
  const { length, state, rows, temperature, topK, nucleus, rng } = options;
  if (length !== Infinity && !(Number.isSafeInteger(length) && length >= 0)) {
    throw new RangeError(
      `${where}: length must be a whole number of tokens of at least 0, or Infinity, got ${textOf(length)}`,
    );
  }
  if (rows !== undefined && !(Number.isSafeInteger(rows) && rows >= 1)) {
    throw new RangeError(
      `${where}: rows must be a whole number of at least 1, got ${textOf(rows)}`,
    );
  }
  if (rng === undefined && temperature !== 0 && length > 0) {
    throw new TypeError(
      `${where}: rng must be a generator to draw from, such as rng(1, "sample"), got undefined; it may be left out with temperature: 0`,
    );
  }
  if (state !== undefined) checkState(`${where}: the state`, state, model.state);
  const prompt = promptOf(where, options.prompt, rows ?? rowsOf(state));
  const draw = sampler({
    ...(temperature !== undefined && { temperature }),
    ...(topK !== undefined && { topK }),
    ...(nucleus !== undefined && { nucleus }),
  });
  return drawing(model, params, prompt, { length, rng, state, draw });
}

interface Drawing<State> {
  readonly length: number;
  readonly rng: Rng | undefined;
  readonly state: State | undefined;
  readonly draw: Sampler;
}

function* drawing<Params, State>(
  model: Cell<Params, State>,
  params: Values<Params>,
  prompt: Prompt,
  { length, rng, state, draw }: Drawing<Values<State>>,
): Generator<number[], Values<State>> {
  const { carried, step, backend } = readPrompt("generate", model, params, prompt, state);
  try {
    let tokens = prompt.at(-1)!;
    for (let drawnTokens = 0; drawnTokens < length; drawnTokens++) {
      const read = tokens;
      tokens = carried.advance((before) => {
        const [logits, next] = step(tokenTensor(read, backend), before);
        return [draw(logits, rng).toTypedArray() as Int32Array, next];
      });
      yield Array.from(tokens);
    }
    return copied(carried.state);
  } finally {
    carried.release();
  }
}
