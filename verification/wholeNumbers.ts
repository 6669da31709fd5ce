import { scope, type Tensor, tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { init, rng } from "@chronograd/nn";
import { defineCell, initialParams, initialState, truncated, unroll } from "@chronograd/rnn";
import { cellLaws, symbols } from "@chronograd/rnn/testing";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";
import { between, oneOf } from "./truncation/problem.ts";

const count = 4;

/** The state is a memory, the last symbol, and a row that never changes. */
const bigram = defineCell({
  params: ({ hidden }) => ({
    table: init.normal(1, count, hidden),
    U: init.glorot(hidden, hidden),
  }),
  state: ({ hidden }) => ({
    h: init.zeros(hidden),
    last: init.zeros({ dtype: "int32" }),
    kept: init.ones(2, { dtype: "int32" }),
  }),
  step: ({ table, U }, x: Tensor, { h, last, kept }) => {
    const next = table.gather(x).mul(table.gather(last)).add(h.matmul(U)).tanh();
    return [next, { h: next, last: x, kept }];
  },
})({ input: count, hidden: 2 });

const carried: Law = {
  name: "carried",
  statement:
    "whole numbers in a state pass through unroll and every mode of truncated, as int32, and outlive windows",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const random = rng(seed, "whole numbers");
      const [B, T] = [between(random, 1, 3), between(random, 2, 7)];
      const xs = Array.from({ length: T }, () =>
        Array.from({ length: B }, () => random.integer(0, count)),
      );
      const inputs = xs.map((x) => tensor(x, { dtype: "int32" }));
      const params = initialParams(bigram, random, { dtype: "float64" });
      const initial = initialState(bigram, B, { dtype: "float64" });
      const kept = Array.from({ length: 2 * B }, () => random.integer(-(2 ** 31), 2 ** 31));
      const given = { ...initial, kept: tensor(kept, { shape: [B, 2], dtype: "int32" }) };
      const isGiven = random.uniform() < 0.5;
      const state = isGiven ? { state: given } : {};
      const holds = (end: number, found: typeof initial, where: string) => {
        tally.check(
          found.last.dtype === "int32" && found.kept.dtype === "int32",
          () => `${where}: ${found.last}`,
        );
        tally.bits(found.last.toTypedArray(), xs[end - 1]!, `${where}: last`);
        tally.bits(found.kept.toTypedArray(), isGiven ? kept : kept.map(() => 1), `${where}: kept`);
      };
      holds(T, unroll(bigram, params, inputs, state).state, "unroll");
      for (const stale of ["carry", "recompute", "defer"] as const) {
        const k1 = between(random, 1, 3);
        const compile = oneOf(random, [true, false]);
        const options = { k1, k2: k1 + 1, stale, compile, ...state, loss: (y: Tensor) => y };
        const steps = inputs.map((input) => ({ input, target: null }));
        for (const window of truncated(bigram, params, steps, options)) {
          holds(
            window.end,
            window.state,
            `truncated, ${stale}, compile ${compile}, to ${window.end}`,
          );
        }
      }
      return tally;
    }),
};

/** States with whole numbers in them: how they are carried, and the laws of cells. */
export function wholeNumberSubjects(): Subject[] {
  const laws = cellLaws(bigram, { input: symbols(count) });
  return [{ name: "whole numbers", group: "cells", laws: [carried, ...laws] }];
}
