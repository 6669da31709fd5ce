import { type Tape, Tensor, timeStep } from "@chronograd/autodiff";
import { type Cell, runStep, type Values } from "../cell.ts";
import { checkTarget } from "../checkRows.ts";
import { errorOfStep } from "../stepErrors.ts";
import type { CountedLoss, Plan, TimeStep } from "./options.ts";
import { checkOwn } from "./tracked.ts";

/** What a step gives: the state after it, its loss, and how many tokens that counts. */
export interface Stepped<State> {
  readonly next: State;
  readonly loss: Tensor | null;
  readonly count: number | Tensor;
}

/** Runs step `t` and its loss on a tape that watches `params`. */
export function takeStep<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  plan: Plan<State, Y, Target>,
  tape: Tape,
  params: Values<Params>,
  state: Values<State>,
  { input, target }: TimeStep<X, Target>,
  t: number,
): Stepped<Values<State>> {
  let part = "step";
  const run = () => {
    const [output, next] = runStep(cell, params, input, state);
    checkTarget(target, input, state);
    part = "the loss of step";
    return { next, result: plan.loss(output, target) };
  };
  let stepped: ReturnType<typeof run>;
  try {
    stepped = timeStep(t, run);
  } catch (cause) {
    throw errorOfStep(`truncated: ${part}`, t, cause);
  }
  const { next, result } = stepped;
  checkOwn("the state after", t, next, tape);
  checkOwn("the loss of", t, result, tape);
  const { loss, count } = counted(result, t);
  return { next, loss, count };
}

/** The loss of one step and how many tokens it counts. */
function counted(
  result: Tensor | CountedLoss | null,
  t: number,
): { loss: Tensor | null; count: number | Tensor } {
  if (result === null) return { loss: null, count: 0 };
  const isTensor = result instanceof Tensor;
  const { loss, count } = isTensor ? { loss: result, count: result.size } : Object(result);
  if (loss instanceof Tensor && loss.tape !== null) {
    if (count instanceof Tensor ? count.size !== 1 : typeof count !== "number") {
      throw new TypeError(
        `truncated: the count of step ${t}'s loss must be a number, or a tensor of one element, got ${String(count)}`,
      );
    }
    return { loss, count };
  }
  const got =
    loss instanceof Tensor
      ? "one that depends on no parameter"
      : result === undefined
        ? "undefined"
        : `a ${typeof result}`;
  throw new TypeError(
    `truncated: the loss of step ${t} must be a tensor computed from the model's output, got ${got}; return null for a step without a loss`,
  );
}

/** A count of tokens as a number. */
export function tokensOf(count: number | Tensor, t: number): number {
  const tokens = typeof count === "number" ? count : count.item();
  if (Number.isFinite(tokens) && tokens >= 0) return tokens;
  throw new RangeError(
    `truncated: the count of step ${t}'s loss must be a number of at least 0, got ${tokens}`,
  );
}
