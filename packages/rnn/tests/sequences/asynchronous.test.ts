import fc from "fast-check";
import { expect, test } from "vitest";
import { type TimeStep, truncated, type Window } from "../../src/index.ts";
import { cells, numbers, problem } from "../truncated/setup.ts";
import { marked, table } from "./marked.ts";

const settings = fc.record({
  name: fc.constantFrom(...Object.keys(cells)),
  T: fc.integer({ min: 1, max: 9 }),
  B: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(100_000),
  k1: fc.integer({ min: 1, max: 4 }),
  more: fc.nat(4),
  burnIn: fc.nat(3),
  stale: fc.constantFrom("carry", "recompute", "defer"),
  losses: fc.constantFrom("new", "endpoint", "window"),
  compile: fc.boolean(),
  hasMarks: fc.boolean(),
} as const);

/** Steps that come late, each at a time of its own. */
async function* late(steps: readonly TimeStep[], closed: () => void): AsyncGenerator<TimeStep> {
  try {
    for (const [t, step] of steps.entries()) {
      if (t % 3 === 1) await new Promise((resolve) => setTimeout(resolve, 0));
      else if (t % 3 === 2) await null;
      yield step;
    }
  } finally {
    closed();
  }
}

const seen = ({ start, newFrom, end, losses, count, gradients, state }: Window<object, object>) => [
  [start, newFrom, end, count],
  losses,
  numbers(gradients),
  numbers(state),
];

test("an asynchronous stream, with marks or without, gives the windows of a synchronous one, bit by bit", async () => {
  await fc.assert(
    fc.asyncProperty(
      settings,
      async ({ name, T, B, seed, k1, more, burnIn, hasMarks, ...modes }) => {
        const p = problem(name, T, seed, B);
        const steps = hasMarks ? marked(p, table(T, B, seed)) : p.steps;
        const cut = { k1, k2: k1 + more, burnIn: Math.min(burnIn, T - 1), loss: p.loss };
        const options = { ...modes, ...cut };
        const expected = Array.from(truncated(p.cell, p.params, steps, options), seen);
        const found: unknown[] = [];
        let closed = 0;
        const stream = late(steps, () => closed++);
        for await (const window of truncated(p.cell, p.params, stream, options)) {
          found.push(seen(window));
        }
        expect(found).toEqual(expected);
        expect(closed).toBe(1);
      },
    ),
    { numRuns: 60 },
  );
});

test("an asynchronous stream that rejects, in the burn-in too, rejects and is closed", async () => {
  const p = problem("gru", 6, 1);
  for (const burnIn of [0, 3]) {
    for (const at of [0, 1, 4]) {
      let closed = 0;
      async function* torn() {
        try {
          for (const [t, step] of p.steps.entries()) {
            await null;
            if (t === at) throw new Error("the wire is cut");
            yield step;
          }
        } finally {
          closed++;
        }
      }
      const options = { k1: 2, k2: 3, burnIn, loss: p.loss };
      const run = async () => {
        for await (const _ of truncated(p.cell, p.params, torn(), options));
      };
      await expect(run()).rejects.toThrow("the wire is cut");
      expect(closed).toBe(1);
    }
  }
});

test("whoever leaves an asynchronous stream waits until it is closed, and gets what closing throws", async () => {
  const p = problem("gru", 6, 1);
  for (const fails of [false, true]) {
    let closed = 0;
    async function* slow() {
      try {
        yield* p.steps;
      } finally {
        for (let i = 0; i < 10; i++) await new Promise((resolve) => setTimeout(resolve, 0));
        closed++;
        // biome-ignore lint/correctness/noUnsafeFinally: it is what a source may do
        if (fails) throw new Error("closing failed");
      }
    }
    const run = async () => {
      const options = { k1: 2, k2: 3, loss: p.loss };
      for await (const _ of truncated(p.cell, p.params, slow(), options)) break;
    };
    if (fails) await expect(run()).rejects.toThrow("closing failed");
    else await run();
    expect(closed).toBe(1);
  }
});

test("an iterator that threw or ended is not asked to close, as in for await", async () => {
  const p = problem("gru", 3, 1);
  for (const fails of [false, true]) {
    let closed = 0;
    const iterator = () => {
      const steps = p.steps.values();
      return {
        next() {
          const next = steps.next();
          if (fails && next.done === true) throw new Error("the wire is cut");
          return next;
        },
        return(value?: unknown) {
          closed++;
          return { done: true as const, value };
        },
      };
    };
    const late = () => {
      const inTime = iterator();
      return { next: async () => inTime.next(), return: async () => inTime.return() };
    };
    for (const stream of [{ [Symbol.iterator]: iterator }, { [Symbol.asyncIterator]: late }]) {
      const run = async () => {
        const options = { k1: 2, k2: 3, loss: p.loss };
        for await (const _ of truncated(
          p.cell,
          p.params,
          stream as AsyncIterable<TimeStep>,
          options,
        ));
      };
      if (fails) await expect(run()).rejects.toThrow("the wire is cut");
      else await run();
    }
    expect(closed).toBe(0);
  }
});

test("an error while an asynchronous source is closed does not hide the first one", async () => {
  const p = problem("gru", 1, 1);
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false as const, value: p.steps[0]! }),
      return: async () => {
        throw new Error("it does not close");
      },
    }),
  };
  const torn = () => {
    throw new Error("the loss is torn");
  };
  const windows = truncated(p.cell, p.params, source, { k1: 1, k2: 1, loss: torn });
  await expect(windows.next()).rejects.toThrow("the loss is torn");
});
