import { scope } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { textOf } from "../checkDefinition.ts";
import type { AdaptiveWindow, MeasuredEngine } from "../truncated/adaptiveWindow.ts";
import { decayOf } from "./decay.ts";
import { tailOf } from "./reach.ts";

/** How a window adapts. */
export interface AdaptiveOptions {
  /** The relative bias that is allowed, greater than 0 and less than 1. */
  readonly tolerance: number;
  /** The largest k2: so many steps are kept. */
  readonly most: number;
  /** A window in so many is measured; 10 unless given. */
  readonly every?: number;
  /** Over how many measurements the norms are averaged, the older ones fading; 10 unless given. */
  readonly memory?: number;
  /** What `getState()` of another one gave: goes on from there. */
  readonly state?: AdaptiveState;
}

/** All that was learned, as plain JSON, for a checkpoint. */
export interface AdaptiveState {
  /** k2 of the latest window; `null` before the first. */
  readonly k2: number | null;
  /** The mean norms by lag, from lag 1 on. */
  readonly norms: readonly number[];
  /** How many measurements each is of. */
  readonly counts: readonly number[];
}

/** A k2 that adapts. */
export interface Adaptive extends AdaptiveWindow {
  /** k2 of the latest window; `null` before the first. */
  readonly k2: number | null;
  /**
   * The factor by which the norms fall per lag, at lags beyond half of those measured; `null` where
   * it cannot be told.
   */
  readonly decay: number | null;
  getState(): AdaptiveState;
}

/**
 * A k2 for `truncated` that adapts while a model is trained: the smallest that keeps the relative
 * bias of the gradient below a tolerance, as estimated from norms of gradients (Aicher, Foti & Fox
 * 2019).
 *
 * One window in `every` is measured: the last loss is swept back alone through the steps that are
 * kept, which costs about one more window of `most` steps, on a tape. With n_tau the mean over
 * measurements of its gradient's norm by the state tau steps before, from tau = 1 on, and beyond
 * the lags that are kept the geometric decay of those in their second half, the bias of a loss with
 * k steps is estimated as the sum of n_tau for tau >= k, divided by that of all. A window has k2 -
 * k1 + 1 to k2 steps for its losses, and the mean of these k1 biases is to be below the tolerance.
 *
 * k2 is a multiple of k1 or `most`, and it is `most` as long as nothing was measured, where the
 * norms do not decay, and where no smaller one suffices. Gradients are those of a stream with that
 * k2: measuring changes nothing. All workers choose the same, from the norms over all their rows.
 * The estimate takes the gradients of a step's parameters as equally large and in one direction:
 * `chooseWindow` measures without that.
 *
 * @param options `every` and `memory` are whole numbers of at least 1
 * @throws for a tolerance outside (0, 1), or another option that cannot be
 *
 * @example
 * ```ts
 * import { type Tensor, tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams, truncated } from "@chronograd/rnn";
 * import { adaptive } from "@chronograd/rnn/flow";
 *
 * const cell = elman({ input: 1, hidden: 4 });
 * const params = initialParams(cell, rng(1));
 * const steps = Array.from({ length: 200 }, (_, t) => ({
 *   input: tensor([[Math.sin(t)]]),
 *   target: tensor([[0, 0, 0, Math.sin(t + 1)]]),
 * }));
 * const k2 = adaptive({ tolerance: 0.05, most: 40 });
 * const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
 * const spans: number[] = [];
 * for (const { start, end } of truncated(cell, params, steps, { k1: 2, k2, loss })) {
 *   spans.push(end - start);
 * }
 * spans.at(-1) === k2.k2 && k2.k2! < 40; // => true
 * ```
 */
export function adaptive(options: AdaptiveOptions): Adaptive {
  checkAdaptive(options);
  const { tolerance, most, every = 10, memory = 10, state } = options;
  let k2 = state?.k2 ?? null;
  const norms = [...(state?.norms ?? [])];
  const counts = [...(state?.counts ?? [])];
  const decay = () => {
    const batch = { sums: Float64Array.from(norms), count: 1 };
    return norms.length === 0 ? null : decayOf([batch], Math.floor(norms.length / 2));
  };
  return {
    most,
    get k2() {
      return k2;
    },
    get decay() {
      return decay()?.rate ?? null;
    },
    next(k1) {
      const tail = norms.length === 0 ? null : tailOf(norms, decay(), true);
      k2 = tail === null ? most : smallest(norms, tail, k1, most, tolerance);
      return k2;
    },
    check({ where, stale, losses }) {
      if (stale === "carry" && losses !== "window") return;
      throw new TypeError(
        `${where}: an adaptive k2 needs stale "carry" and losses "new" or "endpoint", got ${JSON.stringify(stale)} and ${JSON.stringify(losses)}; give a number as k2`,
      );
    },
    measure: (engine, newFrom) => lagSquares(engine, newFrom, most),
    isDue: (window) => window % every === 0,
    observe(squares) {
      const found = squares.map(Math.sqrt);
      // A window without a loss says nothing, nor does one whose gradient overflows.
      if (!found.some((norm) => norm > 0) || !found.every(Number.isFinite)) return;
      for (const [i, norm] of found.entries()) {
        counts[i] = Math.min((counts[i] ?? 0) + 1, memory);
        norms[i] = (norms[i] ?? 0) + (norm - (norms[i] ?? 0)) / counts[i];
      }
    },
    getState: () => ({ k2, norms: [...norms], counts: [...counts] }),
  };
}

/**
 * By lag from 1 on, the square of the norm of the gradient of a window's last loss by the state so
 * many steps before the end of its step.
 */
function lagSquares(engine: MeasuredEngine, newFrom: number, most: number): number[] {
  let last = engine.t;
  while (last > newFrom + 1 && engine.countAt(last) === 0) last--;
  const start = Math.max(engine.start, engine.t - most);
  const { squares } = scope(() => engine.sweep([{ t: last, weight: 1 }], start, true));
  const found = squares!.slice(0, last - start).reverse();
  // As many lags wherever the last loss is, which may differ from worker to worker.
  return found.slice(0, newFrom + 1 - start);
}

/** The smallest multiple of k1 whose estimated bias is below the tolerance, or `most`. */
function smallest(
  norms: readonly number[],
  tail: number,
  k1: number,
  most: number,
  tolerance: number,
): number {
  // beyond[k]: the mass at lags of k and more, norms[i] being at lag i + 1.
  const beyond = [tail];
  for (const norm of [...norms].reverse()) beyond.unshift(beyond[0]! + norm);
  const total = beyond[0]!;
  const left = (k: number) => beyond[Math.min(k - 1, norms.length)]!;
  for (let k2 = k1; k2 < most; k2 += k1) {
    let sum = 0;
    for (let k = k2 - k1 + 1; k <= k2; k++) sum += left(k);
    if (sum / k1 < tolerance * total) return k2;
  }
  return most;
}

function checkAdaptive(options: AdaptiveOptions): void {
  const where = "adaptive";
  checkOptions(where, options, ["tolerance", "most", "every", "memory", "state"]);
  const { tolerance, most, every, memory, state } = options;
  if (!(typeof tolerance === "number" && tolerance > 0 && tolerance < 1)) {
    throw new RangeError(
      `${where}: tolerance must be a number between 0 and 1, got ${textOf(tolerance)}`,
    );
  }
  for (const [name, count] of Object.entries({ most, every, memory })) {
    if (name !== "most" && count === undefined) continue;
    if (Number.isInteger(count) && count! >= 1) continue;
    throw new RangeError(
      `${where}: ${name} must be a whole number of at least 1, got ${textOf(count)}`,
    );
  }
  if (state === undefined) return;
  const { k2 = null, norms, counts } = Object(state) as Partial<AdaptiveState>;
  if (k2 !== null && !(Number.isInteger(k2) && k2 >= 1 && k2 <= most)) {
    throw new RangeError(
      `${where}: the state has k2 ${textOf(k2)}, which must be a whole number from 1 to most, ${most}; go on with the most of that one, or leave state out`,
    );
  }
  const areNumbers = (list: unknown) => Array.isArray(list) && list.every(Number.isFinite);
  if (areNumbers(norms) && areNumbers(counts) && norms!.length === counts!.length) {
    if (norms!.length <= most) return;
    throw new RangeError(
      `${where}: the state has norms at ${norms!.length} lags, and most is ${most}; go on with the most of that one, or leave state out`,
    );
  }
  throw new TypeError(
    `${where}: state must be what getState() of an adaptive k2 gave, got ${textOf(state)}`,
  );
}
