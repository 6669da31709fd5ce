import { type Backend, detach, type Tensor, tree } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { likeParams } from "../initial.ts";
import { runStep } from "../runStep.ts";
import { startOf } from "../startOf.ts";
import { Carried } from "./carried.ts";
import { checkLogits } from "./logits.ts";
import { type Prompt, tokenTensor } from "./prompt.ts";

/** A language model that has read a prompt, all but its last token. */
export interface PromptReading<State> {
  readonly carried: Carried<State>;
  /** From tokens `[rows]` to logits `[rows, V]`. */
  step(tokens: Tensor, state: State): readonly [logits: Tensor, state: State];
  /** Where the tokens of a step live. */
  readonly backend: Backend | undefined;
}

/** Lets a model read a prompt up to its last token. */
export function readPrompt<Params, State>(
  where: string,
  model: Cell<Params, State>,
  params: Values<Params>,
  prompt: Prompt,
  given: Values<State> | undefined,
): PromptReading<Values<State>> {
  // In the scope of a step: it ends with it.
  const constants = () => tree.map(params, (x: Tensor) => detach(x)) as Values<Params>;
  const { backend } = likeParams(params);
  const step = (tokens: Tensor, state: Values<State>) => {
    const stepped = runStep(model, constants(), tokens, state);
    checkLogits(where, stepped[0], tokens.size);
    return stepped;
  };
  const carried = new Carried(given as Values<State>);
  if (given === undefined) {
    const first = () => startOf(model, constants(), tokenTensor(prompt[0]!, backend), where);
    carried.advance(() => [null, first()]);
  }
  for (const tokens of prompt.slice(0, -1)) {
    carried.advance((state) => [null, step(tokenTensor(tokens, backend), state)[1]]);
  }
  return { carried, step, backend };
}
