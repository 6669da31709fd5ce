import { createBackend, detach, scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import {
  defineCell,
  initialParams,
  type Noise,
  type TimeStep,
  type TruncatedOptions,
  truncated,
  unroll,
} from "../../src/index.ts";
import {
  type AnyState,
  byDefinition,
  distance,
  modes,
  numbers,
  problem,
} from "../truncated/setup.ts";

const float64 = { dtype: "float64" } as const;

test("an asynchronous stream that fails, or is left, is closed and leaves no bytes", async () => {
  const backend = createBackend();
  const cell = defineCell({
    params: () => ({ w: init.constant(0.5) }),
    state: () => ({ x: init.constant(0.9, 1) }),
    step: ({ w }, u: Tensor, { x }) => {
      const next = w.mul(x).add(u);
      return [next, { x: next }];
    },
  })({ input: 1, hidden: 1 });
  const params = initialParams(cell, rng(1), { backend });
  const held = backend.memory.bytesInUse;
  let closed = 0;
  async function* stream(failAt: number) {
    try {
      for (let t = 1; t <= 200; t++) {
        await null;
        if (t === failAt) throw new Error("the wire is cut");
        yield { input: tensor([[t]], { backend }), target: tensor([[0]], { backend }) };
      }
    } finally {
      closed++;
    }
  }
  let most = 0;
  const run = async (failAt: number, leaveAt: number) => {
    for await (const w of truncated(cell, params, stream(failAt), {
      k1: 1,
      k2: 2,
      loss: (y) => y,
    })) {
      most = Math.max(most, backend.memory.bytesInUse - held);
      if (w.end === leaveAt) break;
    }
  };
  await run(0, 0);
  await run(0, 7);
  await expect(run(5, 0)).rejects.toThrow("the wire is cut");
  expect(closed).toBe(3);
  expect(backend.memory.bytesInUse).toBe(held);
  // A few tensors for each of two steps, however long the stream.
  expect(most).toBeLessThan(2000);
});

test.each(modes)("burn-in warms up the state, and nothing flows through it: %s", (stale) => {
  for (const compile of [false, true]) {
    scope(() => {
      const [burnIn, T] = [3, 10];
      const p = problem("gru", T, 8);
      const options = { burnIn, k1: 2, k2: 4, compile, stale, loss: p.loss };
      const ends = [5, 7, 9, 10];
      const windows = Array.from(truncated(p.cell, p.params, p.steps, options), (w) => ({
        ...w,
        gradients: numbers(w.gradients),
      }));
      const parts = ends.map((end, j) => {
        const newFrom = j === 0 ? burnIn : ends[j - 1]!;
        const start = Math.max(burnIn, end - 4);
        return {
          start,
          newFrom,
          end,
          g: byDefinition(p, start, end, (t) => (t > newFrom ? 1 : 0)),
        };
      });
      if (stale === "defer") {
        expect(windows.map(({ start, newFrom, end }) => [start, newFrom, end])).toEqual([
          [3, 3, 10],
        ]);
        const sum = Object.fromEntries(
          Object.entries(parts[0]!.g).map(([path, xs]) => [
            path,
            xs.map((_, i) => parts.reduce((total, { g }) => total + g[path]![i]!, 0)),
          ]),
        );
        expect(distance(windows[0]!.gradients, sum)).toBeLessThan(1e-12);
        return;
      }
      expect(windows.map(({ start, newFrom, end }) => [start, newFrom, end])).toEqual(
        parts.map(({ start, newFrom, end }) => [start, newFrom, end]),
      );
      for (const [j, { g }] of parts.entries()) {
        expect(distance(windows[j]!.gradients, g)).toBeLessThan(1e-12);
      }
    });
  }
});

test("burn-in of unroll leaves out its outputs, and no gradient flows through it", () => {
  const p = problem("lstm", 6, 3);
  const inputs = p.steps.map(({ input }) => input);
  const whole = unroll(p.cell, p.params, inputs);
  const { outputs, state } = unroll(p.cell, p.params, inputs, { burnIn: 2 });
  expect(outputs.toArray()).toEqual(whole.outputs.slice([[2, 6]]).toArray());
  expect(numbers(state)).toEqual(numbers(whole.state));
  const warm = unroll(p.cell, p.params, inputs.slice(0, 2)).state;
  const rest = unroll(p.cell, p.params, inputs.slice(2), {
    state: tree.map(warm, (x: Tensor) => detach(x)) as AnyState,
  });
  expect(rest.outputs.toArray()).toEqual(outputs.toArray());
});

/** x_t = m w x_{t-1}, with m drawn. */
const noisy = (per: Noise["per"], rows: boolean) =>
  defineCell({
    params: () => ({ w: init.constant(0.5) }),
    state: () => ({ x: init.constant(1, 1) }),
    noise: (): { m: Noise } => ({
      m: { shape: [1], per, rows, draw: (random) => Float64Array.of(1 + random.integer(1, 1000)) },
    }),
    step: ({ w }, _: Tensor, { x }, _sizes, noise) => {
      const m = noise === undefined ? w.mul(0).add(1) : noise.m;
      const next = w.mul(x).mul(m);
      return [m.broadcastTo([x.shape[0]!, 1]).mul(w.mul(0).add(1)), { x: next }];
    },
  })({ input: 1, hidden: 1 });

function drawn(per: Noise["per"], rows: boolean, more: Partial<TruncatedOptions<AnyState>>) {
  const cell = noisy(per, rows);
  const params = { w: tensor(0.5, float64) };
  const steps: TimeStep[] = Array.from({ length: 7 }, () => {
    const zero = tensor([[0], [0]], float64);
    return { input: zero, target: zero };
  });
  const seen: number[][] = [];
  const options = { k1: 3, k2: 5, rng: rng(5, "noise"), loss: (y: Tensor) => y, ...more };
  for (const window of truncated(cell, params, steps, options as never)) {
    seen.push([...window.losses]);
  }
  return seen;
}

test("noise is drawn once per window or once per step, and once or for each row", () => {
  for (const stale of ["carry", "recompute"] as const) {
    for (const compile of [false, true]) {
      const shared = drawn("window", false, { stale, compile });
      expect(shared.map((losses) => new Set(losses).size)).toEqual([1, 1, 1]);
      expect(new Set(shared.flat()).size).toBe(3);
      const each = drawn("step", true, { stale, compile });
      expect(new Set(each.flat()).size).toBe(7);
      // The draws are those of the generator, in order: two rows of each step.
      const random = rng(5, "noise");
      const expected = Array.from({ length: 7 }, () => {
        return 2 + random.integer(1, 1000) + random.integer(1, 1000);
      });
      expect(each.flat()).toEqual(expected);
    }
  }
  expect(drawn("window", true, { rng: null }).flat()).toEqual([2, 2, 2, 2, 2, 2, 2]);
});

test("a model with noise asks for a generator", () => {
  expect(() => drawn("step", true, { rng: undefined as never })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: truncated: the model draws noise, such as masks of dropout, and there is no generator; give { rng: rng(1, "noise") } to train, or { rng: null } to evaluate without noise]`,
  );
  expect(() => drawn("step", true, { rng: 7 as never })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: truncated: rng must be a generator, as rng(1) gives, or null, got number]`,
  );
  const cell = noisy("step", true);
  const params = { w: tensor(0.5, float64) };
  const xs = tensor([[[0], [0]]], float64);
  expect(() => unroll(cell, params, xs)).toThrow(/^unroll: the model draws noise/);
  expect(unroll(cell, params, xs, { rng: null }).outputs.toArray()).toEqual([[[1], [1]]]);
});
