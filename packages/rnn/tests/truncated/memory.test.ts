import { createBackend, type Tensor, tensor } from "@chronograd/autodiff";
import { adam, applyUpdates, chain, clipByGlobalNorm, rng, sgd } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { initialParams, lstm, type TimeStep, truncated } from "../../src/index.ts";

const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();

/** An endless-looking stream of T steps on a backend of its own, and what training on it holds. */
function setup(T: number) {
  const backend = createBackend();
  const cell = lstm({ input: 2, hidden: 4 });
  const params = initialParams(cell, rng(1), { backend });
  function* steps(): Generator<TimeStep> {
    for (let t = 0; t < T; t++) {
      yield {
        input: tensor([[Math.sin(t), Math.cos(t)]], { backend }),
        target: tensor([[0.1, 0.2, 0.3, 0.4]], { backend }),
      };
    }
  }
  return { backend, cell, params, steps: steps() };
}

describe.each([
  { k1: 1, k2: 1 },
  { k1: 3, k2: 7 },
  { k1: 5, k2: 5 },
])("k1 = $k1, k2 = $k2", ({ k1, k2 }) => {
  test.each(["carry", "recompute"] as const)(
    "9. %s: the peak is that of k2 steps, whatever T is",
    (stale) => {
      const peak = (T: number): number => {
        const { backend, cell, params, steps } = setup(T);
        let most = 0;
        for (const _window of truncated(cell, params, steps, { k1, k2, loss, stale })) {
          most = Math.max(most, backend.memory.peakBytes);
        }
        return most;
      };
      expect(peak(1000)).toBe(peak(50));
    },
  );

  test("training leaves memory where the first windows left it, without a turn of the event loop", () => {
    const { backend, cell, params: initial, steps } = setup(3000);
    let params = initial;
    const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate: 0.01 }) });
    let state = optimizer.init(params);
    const use: number[] = [];
    for (const window of truncated(cell, params, steps, { k1, k2, loss })) {
      const [updates, next] = optimizer.update(window.gradients, state, params);
      params = applyUpdates(params, updates);
      state = next;
      if (window.end % k1 === 0) use.push(backend.memory.bytesInUse);
    }
    const early = use.slice(20, 60);
    expect(Math.max(...use.slice(60))).toBeLessThanOrEqual(Math.max(...early));
  });
});

test("a window's tensors are gone with the window, and the error says what to do", () => {
  const { cell, params, steps } = setup(6);
  const kept: Tensor[] = [];
  const copies: Tensor[] = [];
  for (const window of truncated(cell, params, steps, { k1: 2, k2: 4, loss })) {
    kept.push(window.gradients.b.mul(2));
    copies.push(window.gradients.b.clone());
  }
  expect(() => kept[0]!.sum()).toThrowErrorMatchingInlineSnapshot(
    `[Error: sum: argument x: Tensor float32 [16] is gone: its window is over; clone() what should outlive the window]`,
  );
  expect(copies[0]!.size).toBe(16);
});

test("leaving the loop early returns everything", () => {
  const { backend, cell, params, steps } = setup(100);
  const before = backend.memory.bytesInUse;
  for (const window of truncated(cell, params, steps, { k1: 2, k2: 4, loss })) {
    if (window.index === 3) break;
  }
  expect(backend.memory.bytesInUse).toBe(before);
});

test("an error in the loop's body returns everything", () => {
  const { backend, cell, params, steps } = setup(100);
  const before = backend.memory.bytesInUse;
  expect(() => {
    for (const _ of truncated(cell, params, steps, { k1: 2, k2: 4, loss })) throw new Error("mine");
  }).toThrow("mine");
  expect(backend.memory.bytesInUse).toBe(before);
});

test("two streams side by side do not disturb each other", () => {
  const losses = (n: number): number[][] => {
    const runs = Array.from({ length: n }, () => {
      const { cell, params, steps } = setup(12);
      const optimizer = sgd({ learningRate: 0.1 });
      return {
        params,
        optimizer,
        state: optimizer.init(params),
        windows: truncated(cell, params, steps, { k1: 2, k2: 4, loss }),
        seen: [] as number[],
      };
    });
    for (let open = n; open > 0; ) {
      open = 0;
      for (const run of runs) {
        const { value, done } = run.windows.next();
        if (done === true) continue;
        open++;
        run.seen.push(...value.losses);
        const [updates, state] = run.optimizer.update(value.gradients, run.state, run.params);
        run.params = applyUpdates(run.params, updates);
        run.state = state;
      }
    }
    return runs.map((run) => run.seen);
  };
  const [alone] = losses(1);
  for (const seen of losses(3)) expect(seen).toEqual(alone);
});
