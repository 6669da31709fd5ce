import { scope, Tape, type Tensor, tensor } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { defineCell, unroll, unrollCost } from "@chronograd/rnn";
import { lawOver } from "../lawOver.ts";
import { between } from "../truncation/problem.ts";

let table: number[][] = [];

/**
 * The fewest runs forward that reverse `l` steps with `s` states, the first one among them:
 * D(l, s) = min over k of k + D(l - k, s - 1) + D(k, s).
 */
function fewest(l: number, s: number): number {
  if (table.length === 0) table = [[], Array.from({ length: 200 }, (_, n) => (n * (n - 1)) / 2)];
  while (table.length <= s) {
    const fewer = table.at(-1)!;
    const row = [0, 0];
    for (let n = 2; n < 200; n++) {
      let least = Infinity;
      for (let k = 1; k < n; k++) least = Math.min(least, k + fewer[n - k]! + row[k]!);
      row.push(least);
    }
    table.push(row);
  }
  return table[s]![l]!;
}

/** Steps run as rarely as they can, and `unrollCost` says how often. */
export const scheduleLaw = lawOver(
  5,
  "schedule",
  "with the states of s steps kept, a loop runs as few of its T steps again as any schedule can",
  0,
  (seed, tally) => {
    const random = rng(seed, "schedule");
    const [T, s] = [between(random, 1, 199), between(random, 1, 11)];
    let calls = 0;
    const cell = defineCell({
      params: () => ({ w: init.constant(0.5, 1) }),
      state: () => ({ h: init.zeros(1) }),
      step: ({ w }, x: Tensor, { h }) => {
        calls++;
        const next = h.mul(w).add(x).tanh();
        return [next, { h: next }];
      },
    })({ input: 1, hidden: 1 });
    const inputs = tensor(new Float64Array(T), { shape: [T, 1, 1] });
    const params = { w: tensor([0.5], { dtype: "float64" }) };
    const memory = { steps: s };
    const about = `T ${T}, ${s} states`;
    const { rerun, states } = unrollCost(cell, params, inputs, { memory });
    scope(() => {
      calls = 0;
      const tape = new Tape();
      const own = tape.watch(params) as typeof params;
      const { outputs } = unroll(cell, own, inputs, { memory });
      tally.number(calls, T, () => `${about}: steps forward`);
      for (const sweep of [1, 2]) {
        tape.gradient(outputs.sum(), own);
        tally.number(calls, fewest(T, s) + T, () => `${about}: steps up to sweep ${sweep}`);
        calls = 0;
      }
    });
    tally.number(rerun, fewest(T, s), () => `${about}: steps that unrollCost tells`);
    tally.check(states <= s, () => `${about}: ${states} states`);
  },
);
