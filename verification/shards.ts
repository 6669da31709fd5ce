import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Finding, Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { initialParams, lstm, type TimeStep, truncated } from "@chronograd/rnn";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";

const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();

/** `truncated` gives for shards of the rows what it gives for all of them. */
export function shardsSubject(): Subject {
  const alike: Law = {
    name: "shards",
    statement: "losses and gradients of shards of the rows add up to those of all rows",
    bound: 1e-12,
    measure: (seed): Finding =>
      scope(() => {
        const tally = new Tally();
        const random = rng(seed, "shards");
        const rows = (columns: number) => {
          const values = Float64Array.from({ length: 4 * columns }, () => random.normal());
          return tensor(values, { shape: [4, columns] });
        };
        const cell = lstm({ input: 2, hidden: 3 });
        const params = initialParams(cell, random, { dtype: "float64" });
        const steps = Array.from({ length: 7 }, (): TimeStep => {
          return { input: rows(2), target: rows(3) };
        });
        const run = (shards: 1 | 2 | 4) => {
          const options = { k1: 2, k2: 4, loss, compile: true, threads: 1, shards } as const;
          return Array.from(truncated(cell, params, steps, options), (window) => [
            ...window.losses,
            ...tree.leaves(window.gradients).flatMap((g: Tensor) => [...g.toTypedArray()]),
          ]);
        };
        const whole = run(1);
        for (const shards of [2, 4] as const) {
          for (const [i, found] of run(shards).entries()) {
            tally.list(found, whole[i]!, `${shards} shards, window ${i}`);
          }
        }
        return tally;
      }),
  };
  return { name: "shards", group: "programs", laws: [alike] };
}
