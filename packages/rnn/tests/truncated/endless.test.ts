import { type Tensor, tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { initialParams, lstm, type TimeStep, truncated } from "../../src/index.ts";

test("9. live entries at T = 1e3 and at T = 1e5 are the same", () => {
  const cell = lstm({ input: 2, hidden: 4 });
  const params = initialParams(cell, rng(1));
  const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();
  function* steps(T: number): Generator<TimeStep> {
    for (let t = 0; t < T; t++) {
      yield {
        input: tensor([[Math.sin(t), Math.cos(t)]]),
        target: tensor([[0.1, 0.2, 0.3, 0.4]]),
      };
    }
  }
  const live = (T: number): number => {
    let most = 0;
    for (const { entries } of truncated(cell, params, steps(T), { k1: 10, k2: 20, loss })) {
      most = Math.max(most, entries);
    }
    return most;
  };
  expect(live(100_000)).toBe(live(1000));
});
