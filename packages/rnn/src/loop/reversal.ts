/**
 * One move of a reversal: from the state at hand over chunks `from` to `to - 1`; keep the state
 * before chunk `at`; go back to a kept one; differentiate chunk `at`; or let a kept state go.
 */
export type Move =
  | { readonly move: "advance"; readonly from: number; readonly to: number }
  | { readonly move: "keep" | "restore" | "reverse" | "drop"; readonly at: number };

/** `C(n, k)`, also where it is no longer exact in float64. */
function binomial(n: number, k: number): number {
  let value = k < 0 || k > n ? 0 : 1;
  for (let i = 1; i <= k && i <= n - k; i++) value = (value * (n - i + 1)) / i;
  return value;
}

/** Chunks that `states` states can reverse where none is run forward more than `times` times. */
function reach(states: number, times: number): number {
  return binomial(states + times, states);
}

/** The smallest r with `length <= C(states + r, states)`. */
function repetitions(length: number, states: number): number {
  let times = 0;
  while (reach(states, times) < length) times++;
  return times;
}

/** How far the next state to keep lies from the first, so that the rest takes the fewest runs. */
function nextState(length: number, states: number): number {
  const times = repetitions(length, states);
  return Math.min(reach(states, times - 1), length - reach(states - 1, times - 1));
}

/**
 * The moves that differentiate chunks `length - 1` down to 0 with at most `states` states kept,
 * that before chunk 0 among them: the binomial schedule (Griewank & Walther 2000, Algorithm 799).
 * Until the first "reverse" the moves run over every chunk once. In all they advance over the
 * fewest that is possible, `t(l, s) = r l - C(s + r, s + 1)` (eq. 3), with the smallest r for which
 * `l <= C(s + r, s)`.
 */
export function* reversal(length: number, states: number): Generator<Move, void> {
  const kept = [0];
  for (let end = length; end > 0; end--) {
    let at = kept.at(-1)!;
    yield { move: "restore", at };
    while (end - at > 1 && kept.length < states) {
      const next = at + nextState(end - at, states - kept.length + 1);
      yield { move: "advance", from: at, to: next };
      yield { move: "keep", at: next };
      kept.push(next);
      at = next;
    }
    if (at < end - 1) yield { move: "advance", from: at, to: end - 1 };
    yield { move: "reverse", at: end - 1 };
    if (kept.at(-1) !== end - 1) continue;
    kept.pop();
    yield { move: "drop", at: end - 1 };
  }
}
