import { scope, Tape, tensor } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { defineCell, initialParams, unroll } from "../../src/index.ts";
import { reversal } from "../../src/loop/reversal.ts";

const [longest, mostStates] = [200, 12];

/**
 * The fewest forward runs that reverse `l` chunks with `s` states, by trying every place for the
 * second state: D(l, s) = min over k of k + D(l - k, s - 1) + D(k, s).
 */
function fewest(): number[][] {
  const table: number[][] = [[]];
  for (let s = 1; s < mostStates; s++) {
    const row = [0, 0];
    for (let l = 2; l < longest; l++) {
      let least = (l * (l - 1)) / 2;
      if (s > 1) {
        for (let k = 1; k < l; k++) least = Math.min(least, k + table[s - 1]![l - k]! + row[k]!);
      }
      row.push(least);
    }
    table.push(row);
  }
  return table;
}

/** r l - C(s + r, s + 1), where C(s + r - 1, s) < l <= C(s + r, s). */
function closedForm(l: number, s: number): number {
  const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
  let r = 0;
  while (choose(s + r, s) < l) r++;
  return r * l - (r === 0 ? 0 : choose(s + r, s + 1));
}

/** Chunks that the moves advance over. */
function forwardRuns(l: number, s: number): number {
  let runs = 0;
  for (const move of reversal(l, s)) if (move.move === "advance") runs += move.to - move.from;
  return runs;
}

/** Makes every move on an integer that counts the steps that it went through. */
function simulate(l: number, s: number) {
  let here: number | undefined = 0;
  const kept = new Map<number, number>([[0, 0]]);
  let [runs, most, firstPass] = [0, 1, -1];
  const reversed: number[] = [];
  for (const move of reversal(l, s)) {
    // Without `expect`, which takes far longer than the moves.
    const must = (isRight: boolean) => {
      if (!isRight) throw new Error(`l = ${l}, s = ${s}: wrong ${JSON.stringify(move)}`);
    };
    if (move.move === "advance") {
      must(here === move.from);
      must(move.to > move.from);
      runs += move.to - move.from;
      here = move.to;
    } else if (move.move === "keep") {
      must(here === move.at);
      kept.set(move.at, here!);
      most = Math.max(most, kept.size);
    } else if (move.move === "restore") {
      must(Math.max(...kept.keys()) === move.at);
      here = kept.get(move.at);
    } else if (move.move === "reverse") {
      must(here === move.at);
      if (reversed.length === 0) firstPass = runs;
      reversed.push(move.at);
      // The chunk runs for its pullback, so the state at hand is behind it.
      here = undefined;
    } else must(kept.delete(move.at));
  }
  return { runs, most, firstPass, reversed, left: kept.size };
}

describe("the binomial schedule", () => {
  const table = fewest();

  test("takes the fewest forward runs that there can be, for every l < 200 and s < 12", () => {
    for (let s = 1; s < mostStates; s++) {
      for (let l = 1; l < longest; l++) {
        const least = table[s]![l]!;
        expect([l, s, closedForm(l, s)]).toEqual([l, s, least]);
      }
    }
  });

  test("reverses every chunk once, from the right state, keeping no more than s, for every l < 200 and s < 12", () => {
    for (let s = 1; s < mostStates; s++) {
      for (let l = 1; l < longest; l++) {
        const { runs, most, firstPass, reversed, left } = simulate(l, s);
        expect([l, s, runs]).toEqual([l, s, table[s]![l]]);
        expect(most).toBeLessThanOrEqual(s);
        // All but the last, which runs for its pullback.
        expect(firstPass).toBe(l - 1);
        expect(reversed).toEqual(Array.from({ length: l }, (_, i) => l - 1 - i));
        expect(left).toBe(0);
      }
    }
  });

  test("is exact for numbers that a training run meets", () => {
    // s = 1 is quadratic; l = C(s + r, s) takes every chunk r times but the binomial part.
    expect(forwardRuns(1000, 1)).toBe((1000 * 999) / 2);
    expect(forwardRuns(1000, 1000)).toBe(999);
    expect(forwardRuns(100_000, 50)).toBe(closedForm(100_000, 50));
    // 161,700 = C(100, 3): r = 97 for s = 3, and the sum is r l - C(100, 4) = 97 l - 3,921,225.
    expect(forwardRuns(161_700, 3)).toBe(97 * 161_700 - 3_921_225);
  });
});

/** A cell that counts how often it is called. */
function counting() {
  let calls = 0;
  const cell = defineCell({
    params: () => ({ w: init.constant(0.5, 1) }),
    state: () => ({ h: init.zeros(1) }),
    step: ({ w }, x, { h }) => {
      calls++;
      const next = h.mul(w).add(x).tanh();
      return [next, { h: next }];
    },
  })({ input: 1, hidden: 1 });
  const counted = (call: () => void) => {
    calls = 0;
    call();
    return calls;
  };
  return { cell, counted };
}

test("a loop calls a cell's step as often as the schedule says, and once more for each pullback", () => {
  const { cell, counted } = counting();
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const table = fewest();
  for (const [l, s] of [
    [1, 1],
    [2, 1],
    [9, 1],
    [9, 2],
    [31, 2],
    [56, 3],
    [57, 3],
    [120, 7],
    [199, 11],
    [40, 100],
  ] as const) {
    const inputs = tensor(Float64Array.from({ length: l }, Math.sin), { shape: [l, 1, 1] });
    scope(() => {
      const tape = new Tape();
      const watched = tape.watch(params) as typeof params;
      let loss = inputs;
      const forward = counted(() => {
        loss = unroll(cell, watched, inputs, { memory: { steps: s } }).outputs.sum();
      });
      expect([l, s, forward]).toEqual([l, s, l]);
      const backward = counted(() => {
        tape.gradient(loss, watched);
      });
      const least = table[s]?.[l] ?? l - 1;
      expect([l, s, forward + backward]).toEqual([l, s, least + l]);
      // A second sweep finds nothing kept, but the run of a single step.
      const again = counted(() => {
        tape.gradient(loss, watched);
      });
      expect([l, s, again]).toEqual([l, s, l === 1 ? 0 : least + l]);
      const kept = counted(() => {
        const all = unroll(cell, watched, inputs, { memory: "all" }).outputs.sum();
        tape.gradient(all, watched);
        tape.gradient(all, watched);
      });
      expect([l, s, kept]).toEqual([l, s, l]);
    });
  }
});
