import { ones, Tape, type Tensor, zeros } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../cell.ts";
import { textOf } from "../checkDefinition.ts";
import { checkTarget } from "../checkRows.ts";
import { advance } from "../sequences/advance.ts";
import { atStep } from "../stepErrors.ts";
import { countedLoss, tokensOf } from "../truncated/countedLoss.ts";
import type { StepLoss } from "../truncated/step.ts";
import type { TrajectoryOptions, TrajectoryStep } from "./trajectory.ts";

/** What an instrument that needs a loss takes. */
export interface FlowLossOptions<State, Y = Tensor, Target = Tensor>
  extends TrajectoryOptions<State> {
  /** The loss of one step, as `truncated` takes it; `null` where a step has none. */
  readonly loss: StepLoss<Y, Target>;
}

/** Step t and its loss, recorded from the state before it on. */
export interface LossAt<State> {
  readonly tape: Tape;
  /** h_{t-1}, watched. */
  readonly before: State;
  /** h_t as the output may be computed from it: in all rows that of the step. */
  readonly after: State;
  /** h_t as it goes on: in rows without a step that from before. */
  readonly next: State;
  readonly loss: Tensor | null;
  /** The tokens that the loss counts. */
  readonly count: number;
}

/** Throws a sentence for options, or a stream, that an instrument with a loss cannot take. */
export function checkLossOptions(
  where: string,
  stream: unknown,
  options: unknown,
  own: readonly string[],
): void {
  checkOptions(where, options, ["loss", ...own, "state", "rng"]);
  const { loss } = Object(options) as { readonly loss?: unknown };
  if (typeof loss !== "function") {
    throw new TypeError(
      `${where}: loss must be a function of output and target, got ${textOf(loss)}`,
    );
  }
  const given = Object(stream) as object;
  if (Symbol.iterator in given || !("inputs" in given) || "targets" in given) return;
  throw new TypeError(
    `${where}: the stream has inputs and no targets, and the loss needs both; give { inputs, targets }`,
  );
}

/** Runs a step of a trajectory again, with its loss, on a tape of its own. */
export function lossAt<Params, State, X, Y, Target>(
  where: string,
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  { t, step, before: given }: TrajectoryStep<State, X, Target>,
  loss: StepLoss<Y, Target>,
): LossAt<Values<State>> {
  const tape = new Tape();
  const before = tape.watch(given) as Values<State>;
  const watched = tape.watch(params) as Values<Params>;
  const { input, target } = step;
  const { output, next, after } = atStep(`${where}: step`, t, () =>
    advance(cell, watched, input, step, before),
  );
  if (output === undefined) return { tape, before, after, next, loss: null, count: 0 };
  const result = atStep(`${where}: the loss of step`, t, () => {
    checkTarget(target, input, given);
    return loss(output, target as Target);
  });
  const counted = countedLoss(where, result, t, step);
  const count = tokensOf(where, counted.count, t);
  if (counted.loss !== null) checkFinite(where, tape, counted.loss, t);
  return { tape, before, after, next, loss: counted.loss, count };
}

/** Throws a sentence for a loss that is not finite, with where that began on its tape. */
export function checkFinite(where: string, tape: Tape, loss: Tensor, t: number): void {
  const wrong = loss.toTypedArray().find((value) => !Number.isFinite(value));
  if (wrong === undefined) return;
  const origin = tape.findNonFinite()?.message ?? "its elements are finite, but their sum is not";
  throw new RangeError(`${where}: the loss of step ${t} is ${wrong}; ${origin}`);
}

/**
 * Cotangents of some tensors of a tape as independent variables, from that of the loss: what goes
 * from one of them through another counts for the later one alone. Zeros where the loss does not
 * depend on one.
 */
export function cutCotangents(tape: Tape, loss: Tensor, at: readonly Tensor[]): Tensor[] {
  const { shape, dtype, backend } = loss;
  const isOwn = (x: Tensor) => tape.tracks(x);
  const all = tape.gradient(loss, at.filter(isOwn), {
    cotangent: ones(shape, { dtype, backend }),
  });
  let i = 0;
  const found = at.map((x) => {
    return isOwn(x) ? all[i++]! : zeros(x.shape, { dtype: x.dtype, backend: x.backend });
  });
  // From the latest to the earliest: g_i = G_i - sum_j (dx_j/dx_i)' g_j over the later x_j.
  const order = at.map((_, k) => k).filter((k) => isOwn(at[k]!));
  order.sort((a, b) => tape.own(at[b]!)!.id - tape.own(at[a]!)!.id);
  for (const [rank, later] of order.entries()) {
    const earlier = order.slice(rank + 1);
    const through = tape.gradientIfReached(
      at[later]!,
      earlier.map((k) => at[k]!),
      { cotangent: found[later]! },
    );
    for (const [path, part] of through) {
      const k = earlier[Number(path)]!;
      found[k] = found[k]!.sub(part);
    }
  }
  return found;
}
