import { type Tensor, tensor, where } from "@chronograd/autodiff";
import type { GradientTransformation } from "@chronograd/nn";
import { floatsOf } from "../derivatives/vectors.ts";

/** What a clip that is observed remembers beside its own state. */
export interface ObservedClipState<State> {
  /** The clip's own. */
  readonly clip: State;
  /** Updates until now, those in which gradients were clipped, and the latest ratio. */
  readonly updates: Tensor;
  readonly clipped: Tensor;
  readonly ratio: Tensor;
}

/** What a clip did. Plain data. */
export interface ClipRatio {
  /** The norm of all gradients after the latest clip over that before; 1 where it did nothing. */
  readonly ratio: number;
  readonly updates: number;
  readonly clipped: number;
  /** The share of updates in which gradients were clipped; 0 before the first. */
  readonly share: number;
}

/**
 * A clip of gradients that counts how often it clips, and by how much: it passes on, bit by bit,
 * what the clip makes. It stands in a `chain` in the clip's place, and `clipRatio` reads its state.
 *
 * Cost: the squares of all gradients, before and after, added up.
 *
 * @param clip a link that changes no gradient unless it clips it, such as `clipByGlobalNorm(1)`
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { clipByGlobalNorm } from "@chronograd/nn";
 * import { clipRatio, observedClip } from "@chronograd/rnn/flow";
 *
 * const clip = observedClip(clipByGlobalNorm(1));
 * let state = clip.init({ w: tensor([0, 0]) });
 * for (const gradient of [[0.3, 0], [3, 4]]) {
 *   [, state] = clip.update({ w: tensor(gradient) }, state, {});
 * }
 * const { ratio, updates, clipped, share } = clipRatio(state);
 * [ratio.toFixed(3), updates, clipped, share]; // => ["0.200", 2, 1, 0.5]
 * ```
 */
export function observedClip<State>(
  clip: GradientTransformation<State>,
): GradientTransformation<ObservedClipState<State>> {
  if (typeof clip?.update !== "function") {
    throw new TypeError(
      `observedClip: expected a clip such as clipByGlobalNorm(1), got ${clip === null ? "null" : typeof clip}`,
    );
  }
  return {
    init(params) {
      const backend = floatsOf(params)[0]?.backend;
      const number = (value: number) =>
        tensor(value, { dtype: "float64", ...(backend && { backend }) });
      return { clip: clip.init(params), updates: number(0), clipped: number(0), ratio: number(1) };
    },
    update(gradients, state, params) {
      const before = normOf(gradients, state.ratio);
      const [updates, next] = clip.update(gradients, state.clip, params);
      const after = normOf(updates, state.ratio);
      const isZero = before.equal(0);
      const ratio = where(isZero, 1, after.div(where(isZero, 1, before)));
      const clipped = state.clipped.add(ratio.less(1).cast("float64"));
      return [updates, { clip: next, updates: state.updates.add(1), clipped, ratio }];
    },
  };
}

/** The norm of all gradients as one vector, added up in float64. */
function normOf(gradients: unknown, like: Tensor): Tensor {
  const squares = floatsOf(gradients).map((g) => g.cast("float64").square().sum());
  return squares.reduce((a, b) => a.add(b), like.mul(0)).sqrt();
}

/**
 * What a clip did, from the state of `observedClip`.
 *
 * @throws for what is no such state
 */
export function clipRatio(state: ObservedClipState<unknown>): ClipRatio {
  const { updates, clipped, ratio } = state ?? {};
  const isRight = [updates, clipped, ratio].every((x) => x !== undefined);
  if (!isRight) {
    throw new TypeError(
      "clipRatio: expected the state of observedClip(clip); in a chain it is the state of that link",
    );
  }
  const [count, often] = [updates!.item(), clipped!.item()];
  return {
    ratio: ratio!.item(),
    updates: count,
    clipped: often,
    share: count === 0 ? 0 : often / count,
  };
}
