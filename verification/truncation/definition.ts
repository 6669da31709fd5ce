import { scope, Tape, type Tensor } from "@chronograd/autodiff";
import { type Numbers, numbers, total } from "../tally.ts";
import type { Options, Params, Problem, State } from "./problem.ts";

/** A window by definition: steps `start < t <= end`, of which those after `newFrom` are new. */
export interface Span {
  readonly start: number;
  readonly newFrom: number;
  readonly end: number;
}

/** e_j = min(j k1, T), s_j = max(0, e_j - k2). */
export function spans({ T, k1, k2 }: Pick<Problem, "T" | "k1" | "k2">): Span[] {
  const ends = Array.from({ length: Math.ceil(T / k1) }, (_, j) => Math.min((j + 1) * k1, T));
  return ends.map((end, j) => ({ start: Math.max(0, end - k2), newFrom: ends[j - 1] ?? 0, end }));
}

/**
 * How much the loss of step `t` counts in a window; multiplicity counts windows on an endless
 * stream, one by one.
 */
export function weightOf(
  t: number,
  { start, newFrom, end }: Span,
  {
    losses = "new",
    multiplicity = false,
    k1,
    k2,
  }: Pick<Options, "losses" | "multiplicity" | "k1" | "k2">,
): number {
  if (losses === "endpoint") return t === end ? 1 : 0;
  if (losses === "new") return t > newFrom && t <= end ? 1 : 0;
  if (t <= start || t > end) return 0;
  if (!multiplicity) return 1;
  let windows = 0;
  for (let e = k1; e - k2 < t; e += k1) if (e >= t) windows++;
  return 1 / windows;
}

/** What one plain run gives: with the weights of each step, from a state before step `from + 1`. */
export interface Run {
  /** The loss of each step, summed over its elements; 0 without one. By step, from 1. */
  readonly losses: number[];
  /** Tokens of each step. */
  readonly counts: number[];
  /** The states after each step, as numbers. */
  readonly states: Numbers[];
  /**
   * The gradient of a weighted sum of losses by the weights of each step, each step's apart from
   * all others.
   */
  byStep(weight: (t: number) => number): (Numbers | undefined)[];
}

/**
 * Runs steps `from + 1` to `to` on a tape with separate weights for every step, and calls `body`
 * with the run. There is no cut and no mark, and nothing is forgotten: which steps count is decided
 * afterwards, by which of them are summed.
 */
export function run<R>(
  { model, steps, loss }: Problem,
  weights: (t: number) => Params,
  state: State,
  { from = 0, to = steps.length }: { readonly from?: number; readonly to?: number },
  body: (run: Run) => R,
): R {
  return scope(() => {
    const tape = new Tape();
    const copies: Params[] = [];
    const found: (Tensor | null)[] = [];
    const [losses, counts, states]: [number[], number[], Numbers[]] = [[], [], []];
    let now = state;
    for (let t = from + 1; t <= to; t++) {
      const copy = tape.watch(weights(t)) as Params;
      const { input, target } = steps[t - 1]!;
      const [output, next] = model.step(copy, input, now);
      const result = loss(output, target);
      const elements = result === null ? null : "count" in result ? result.loss : result;
      copies[t] = copy;
      found[t] = elements;
      losses[t] = elements === null ? 0 : elements.sum().item();
      const count = result === null ? 0 : "count" in result ? result.count : result.size;
      counts[t] = typeof count === "number" ? count : count.item();
      states[t] = numbers(next);
      now = next;
    }
    return body({
      losses,
      counts,
      states,
      byStep(weight) {
        const terms: Tensor[] = [];
        for (let t = from + 1; t <= to; t++) {
          const elements = found[t] ?? null;
          if (elements !== null && weight(t) !== 0) terms.push(elements.sum().mul(weight(t)));
        }
        const gradients = tape.gradient(terms, copies.slice(from + 1)) as unknown as Params[];
        const list: (Numbers | undefined)[] = [];
        for (const [i, gradient] of gradients.entries()) list[from + 1 + i] = numbers(gradient);
        return list;
      },
    });
  });
}

/** The contributions of steps `start < t <= end` added up. */
export function summed(
  byStep: readonly (Numbers | undefined)[],
  { start, end }: Pick<Span, "start" | "end">,
): Numbers {
  return total(byStep.slice(start + 1, end + 1) as Numbers[]);
}

/** The expected gradient, counts and losses of a window with all of a run's numbers at hand. */
export function expectedOf(found: Run, span: Span, options: Options) {
  const { start, newFrom, end } = span;
  const weight = (t: number) => weightOf(t, span, options);
  const isIn = (t: number) => weight(t) !== 0;
  const add = (list: readonly number[], wanted: (t: number) => boolean) =>
    list.reduce((sum, x, t) => (wanted(t) ? sum + x : sum), 0);
  const isNew = (t: number) => t > newFrom && t <= end;
  const gradientCount = add(found.counts, (t) => isIn(t));
  const count = add(found.counts, isNew);
  const isMean = options.reduction === "mean";
  const scale = isMean ? (gradientCount === 0 ? 0 : 1 / gradientCount) : 1;
  const loss = add(found.losses, isNew);
  return {
    gradients: summed(
      found.byStep((t) => weight(t) * scale),
      { start, end },
    ),
    losses: found.losses.slice(newFrom + 1, end + 1),
    loss: isMean ? (count === 0 ? 0 : loss / count) : loss,
    count,
    gradientCount,
  };
}
