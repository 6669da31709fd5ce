import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { checkCell } from "../checkCell.ts";
import { checkState } from "../checkState.ts";
import { beamSearch } from "./beamSearch.ts";
import { checkWhole } from "./checkWhole.ts";
import type { Hypothesis } from "./hypothesis.ts";
import type { LengthPenalty } from "./lengthPenalty.ts";
import { promptOf } from "./prompt.ts";
import { readPrompt } from "./readPrompt.ts";

/** What is searched after a prompt. */
export interface ContinuationsOptions<State> {
  /** The tokens that the model reads first, at least one: a list, or int32 `[T]`. */
  readonly prompt: ArrayLike<number> | Tensor;
  /** The most tokens of a continuation, `end` included; without `end` all have as many. */
  readonly length: number;
  /** How many hypotheses are kept. */
  readonly width: number;
  /** The token that ends a continuation; none unless given. */
  readonly end?: number;
  /** As for `beamSearch`. */
  readonly lengthPenalty?: LengthPenalty;
  /** The state before the prompt, of one row; the model's initial state unless given. */
  readonly state?: Values<State>;
}

/**
 * The likeliest continuations of a prompt by a language model, by beam search: at most `width`, the
 * best first.
 *
 * @param model a cell that reads int32 tokens `[rows]` and puts out logits `[rows, V]`, such as
 *   `sequential({ embedding, cell, head })`
 * @throws as `generate` and `beamSearch` do
 *
 * @example
 * ```ts
 * import { embedding, linear, rng } from "@chronograd/nn";
 * import { gru, initialParams, sequential } from "@chronograd/rnn";
 * import { continuations, generate } from "@chronograd/rnn/decode";
 *
 * const model = sequential({
 *   embedding: embedding({ input: 8, output: 4 }),
 *   cell: gru({ input: 4, hidden: 6 }),
 *   head: linear({ input: 6, output: 8 }),
 * });
 * const params = initialParams(model, rng(1));
 * const options = { prompt: [3, 1], length: 4 };
 *
 * const [greedy] = continuations(model, params, { ...options, width: 1 });
 * const likeliest = generate(model, params, { ...options, temperature: 0 });
 * greedy!.tokens; // => [...likeliest].flat()
 * const found = continuations(model, params, { ...options, width: 5 });
 * [found.length, found[0]!.score >= greedy!.score]; // => [5, true]
 * ```
 */
export function continuations<Params, State>(
  model: Cell<Params, State>,
  params: Values<Params>,
  options: ContinuationsOptions<State>,
): Hypothesis[] {
  const where = "continuations";
  checkCell(where, model, "step", "search with a model whose every part has a step");
  const required = ["prompt", "length", "width"];
  checkOptions(where, options ?? null, [...required, "end", "lengthPenalty", "state"]);
  const { length, width, end, lengthPenalty, state } = options;
  checkWhole(where, "length", length, 1, 2 ** 24);
  if (state !== undefined) checkState(`${where}: the state`, state, model.state);
  const prompt = promptOf(where, options.prompt, 1);
  const { carried, step } = readPrompt(where, model, params, prompt, state);
  try {
    const [found] = beamSearch({
      step: (tokens, before: Values<State>) => step(tokens, before),
      state: carried.state,
      start: prompt.at(-1)!,
      width,
      maxLength: length,
      ...(end !== undefined && { end }),
      ...(lengthPenalty !== undefined && { lengthPenalty }),
    });
    return found!;
  } finally {
    carried.release();
  }
}
