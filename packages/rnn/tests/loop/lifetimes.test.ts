import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  type Backend,
  createBackend,
  defaultBackend,
  grad,
  scope,
  Tape,
  type Tensor,
  tensor,
} from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { defineCell, gru, initialParams, unroll, variationalDropout } from "../../src/index.ts";
import { normal } from "../models/setup.ts";
import { distance, numbers } from "../truncated/setup.ts";
import type { How } from "./setup.ts";

const { memory } = defaultBackend();
const sizes = { input: 2, hidden: 3 };
const cell = gru(sizes);
const noisy = variationalDropout(cell, { rate: 0.5 });
const params = initialParams(cell, rng(1), { dtype: "float64" });
const xs = normal([21, 2, 2], 1);
type Params = typeof params;

const hows: readonly How[] = [
  { memory: "all" },
  { memory: { steps: 3 } },
  { memory: { bytes: 2 ** 20 } },
  { compile: true },
  { compile: true, memory: { steps: 2 } },
];
/** Bytes that a call leaves in use; what it makes once for all later calls does not count. */
function left(call: () => void): number {
  call();
  const before = memory.bytesInUse;
  call();
  return memory.bytesInUse - before;
}

describe.each(hows.map((how) => [JSON.stringify(how), how] as const))("%s", (_name, how) => {
  test("a scope returns everything: swept, swept twice, never swept, and not on any tape", () => {
    const run = (sweeps: number) => () => {
      scope(() => {
        const tape = new Tape();
        const p = tape.watch(params) as Params;
        const { outputs } = unroll(noisy, p, xs, { ...how, rng: rng(1), burnIn: 4 });
        for (let n = 0; n < sweeps; n++) tape.gradient(outputs.sum(), p);
      });
    };
    for (const sweeps of [0, 1, 2]) expect([sweeps, left(run(sweeps))]).toEqual([sweeps, 0]);
    expect(left(() => scope(() => void unroll(cell, params, xs, how)))).toBe(0);
    expect(left(() => scope(() => void unroll(noisy, params, xs, { ...how, rng: rng(1) })))).toBe(
      0,
    );
  });

  test("without a scope, values stay and what the loop kept goes with tape.forget", () => {
    scope(() => {
      const tape = new Tape();
      const p = tape.watch(params) as Params;
      let state = { h: tensor(new Float64Array(6), { shape: [2, 3] }) };
      const used: number[] = [];
      for (let n = 0; n < 5; n++) {
        state = scope(() => {
          const { outputs, state: next } = unroll(cell, p, xs, { ...how, state });
          const carried = { h: next.h.clone() };
          tape.gradient(outputs.sum(), p);
          return carried;
        });
        tape.forget(tape.mark(state));
        used.push(memory.bytesInUse);
      }
      expect(used[4]).toBe(used[1]);
    });
  });

  test("inputs, state and parameters may be gone before the sweep: the tape holds them", () => {
    const run = () =>
      scope(() => {
        const tape = new Tape();
        const p = tape.watch(params) as Params;
        const y = scope(() => {
          const x = xs.mul(2);
          const state = { h: normal([2, 3], 5) };
          const { outputs } = unroll(cell, p, x, { ...how, state });
          return outputs.slice([20]).sum();
        });
        // Takes the place of whatever was returned.
        for (let n = 0; n < 50; n++) normal([21, 2, 2], n);
        return numbers(tape.gradient(y, p));
      });
    const plain = scope(() => {
      const loss = (p: Params) =>
        unroll(cell, p, xs.mul(2), { state: { h: normal([2, 3], 5) } })
          .outputs.slice([20])
          .sum();
      return numbers(grad(loss)(params));
    });
    const found = run();
    expect(distance(found, plain)).toBeLessThan(1e-12);
  });
});

/** A cell whose step throws when told to. */
function fragile() {
  let remaining = Infinity;
  const made = defineCell({
    params: ({ hidden }) => ({ U: init.glorot(hidden, hidden) }),
    state: ({ hidden }) => ({ h: init.zeros(hidden) }),
    step: ({ U }, x: Tensor, { h }) => {
      if (--remaining < 0) throw new Error("enough");
      const next = h.matmul(U).add(x).tanh();
      return [next, { h: next }];
    },
  })({ input: 3, hidden: 3 });
  return { made, breakAfter: (calls: number) => (remaining = calls) };
}

describe("an error in the middle", () => {
  const { made, breakAfter } = fragile();
  const own = variationalDropout(made, { rate: 0.5, inputRate: 0 });
  const p = initialParams(made, rng(1), { dtype: "float64" });
  const x = normal([12, 2, 3], 1);
  const memories = ["all", { steps: 3 }, { steps: 1 }] as const;

  test("of the way forward: named with its step, and everything is returned", () => {
    for (const kept of memories) {
      for (const burnIn of [0, 4]) {
        for (const calls of [0, 2, 5, 11]) {
          const run = () => {
            breakAfter(calls);
            scope(() => {
              const tape = new Tape();
              const watched = tape.watch(p) as typeof p;
              expect(() => unroll(own, watched, x, { rng: rng(1), burnIn, memory: kept })).toThrow(
                `unroll: step ${calls + 1}: enough`,
              );
            });
          };
          expect([kept, burnIn, calls, left(run)]).toEqual([kept, burnIn, calls, 0]);
        }
      }
    }
  });

  test("of the way back: named too, everything is returned, and the next sweep is right", () => {
    for (const kept of memories.slice(1)) {
      for (const calls of [0, 1, 3, 7]) {
        const run = () => {
          breakAfter(Infinity);
          scope(() => {
            const tape = new Tape();
            const watched = tape.watch(p) as typeof p;
            const { outputs } = unroll(own, watched, x, { rng: rng(1), memory: kept });
            const loss = outputs.square().sum();
            breakAfter(calls);
            expect(() => tape.gradient(loss, watched)).toThrow(/step \d+: enough/);
            breakAfter(Infinity);
            const found = numbers(tape.gradient(loss, watched));
            const plain = grad((q: typeof p) =>
              unroll(own, q, x, { rng: rng(1) })
                .outputs.square()
                .sum(),
            )(p);
            expect(distance(found, numbers(plain))).toBeLessThan(1e-12);
          });
        };
        expect([kept, calls, left(run)]).toEqual([kept, calls, 0]);
      }
    }
  });

  test("of a second sweep, which runs everything again: the third one is right", () => {
    for (const kept of memories.slice(1)) {
      for (const calls of [0, 2, 5, 13]) {
        const run = () => {
          breakAfter(Infinity);
          scope(() => {
            const tape = new Tape();
            const watched = tape.watch(p) as typeof p;
            const { outputs } = unroll(own, watched, x, { rng: rng(1), memory: kept });
            const loss = outputs.square().sum();
            const first = numbers(tape.gradient(loss, watched));
            breakAfter(calls);
            expect(() => tape.gradient(loss, watched)).toThrow(/step \d+: enough/);
            breakAfter(Infinity);
            expect(numbers(tape.gradient(loss, watched))).toEqual(first);
          });
        };
        expect([kept, calls, left(run)]).toEqual([kept, calls, 0]);
      }
    }
  });

  test("a refused budget leaves nothing, and no draw is lost or kept", () => {
    breakAfter(Infinity);
    const run = () => {
      scope(() => {
        const tape = new Tape();
        const watched = tape.watch(p) as typeof p;
        const call = { rng: rng(1), burnIn: 2, memory: { bytes: 1000 } };
        expect(() => unroll(own, watched, x, call)).toThrow(/is less than this model takes/);
      });
    };
    expect(left(run)).toBe(0);
  });
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("a loop that is dropped with its tape returns everything when it is collected", async () => {
  const drop = (backend: Backend, how: How) => {
    const at = { dtype: "float64", backend } as const;
    const own = gru(sizes);
    const tape = new Tape();
    const p = tape.watch(initialParams(own, rng(1), at)) as Params;
    const x = tensor(xs.toTypedArray(), { shape: xs.shape, backend });
    const { outputs } = unroll(own, p, x, how);
    tape.gradient(outputs.sum(), p);
  };
  for (const how of hows) {
    const backend = createBackend();
    const empty = backend.memory.bytesInUse;
    const used = () => backend.memory.bytesInUse - empty;
    drop(createBackend(), how);
    drop(backend, how);
    for (let n = 0; n < 50 && used() > 0; n++) {
      collect();
      await setTimeout(1);
    }
    expect([how, used()]).toEqual([how, 0]);
  }
});

test("inputs of another shape each time do not pile up: plans that give way are returned", async () => {
  const own = defineCell({
    params: () => ({ w: init.constant(0.5, 1) }),
    state: () => ({ h: init.zeros(1) }),
    step: ({ w }, x: Tensor, { h }) => {
      const next = h
        .mul(w)
        .add(x.sin().mean([1, 2]).expandDims(1))
        .tanh();
      return [next, { h: next }];
    },
  })({ input: 1, hidden: 1 });
  const p = { w: tensor([0.5], { dtype: "float64" }) };
  // Shapes of one size.
  const widths = Array.from({ length: 5040 }, (_, i) => i + 1).filter((n) => 5040 % n === 0);
  const used: number[] = [];
  for (const width of widths) {
    scope(() => {
      const x = normal([5, 2, width, 5040 / width], width);
      grad((q: typeof p) => unroll(own, q, x, { compile: true }).outputs.sum())(p);
    });
    for (let n = 0; n < 5; n++) {
      collect();
      await setTimeout(1);
    }
    used.push(memory.bytesInUse);
  }
  expect(widths.length).toBe(60);
  const [early, late] = [used.slice(24, 40), used.slice(44)].map((each) => Math.max(...each));
  expect(late! - early!).toBeLessThan(used[1]! - used[0]! + 2 ** 12);
  expect(used[10]! - used[0]!).toBeGreaterThan(late! - early!);
});
