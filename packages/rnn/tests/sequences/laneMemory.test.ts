import { type Backend, createBackend, type Tensor, zeros } from "@chronograd/autodiff";
import { consume } from "@chronograd/autodiff/internal";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { elman, initialParams, type LaneSequence, lanes, truncated } from "../../src/index.ts";
import { counting } from "./counting.ts";

describe("memory", () => {
  const loss = (y: Tensor, target: Tensor) => y.sub(target).square();

  /** The windows of `count` sequences that the source makes; `rows` of their own length each. */
  function* windowsOf(backend: Backend, params: Params, count: number, onClose = () => {}) {
    function* source(): Generator<LaneSequence> {
      try {
        for (let i = 0; i < count; i++) {
          const inputs = zeros([1 + (i % 3), 1], { backend }).add(i / 1e4);
          yield { inputs, targets: inputs.add(1) };
        }
      } finally {
        onClose();
      }
    }
    yield* truncated(cell, params, lanes(source, { rows: 4 }), { k1: 5, k2: 10, loss });
  }
  const cell = elman({ input: 1, hidden: 2 });
  type Params = ReturnType<typeof initialParams<typeof cell.params>>;

  /** A backend that has its constants, also those of masked rows. */
  function warm(): [backend: Backend, params: Params] {
    const backend = createBackend();
    const params = initialParams(cell, rng(1), { backend });
    Array.from(windowsOf(backend, params, 10));
    return [backend, params];
  }

  test("does not grow over 10,000 sequences that the source makes", () => {
    const [backend, params] = warm();
    const mostOf = (count: number): number => {
      let most = 0;
      for (const _ of windowsOf(backend, params, count)) {
        most = Math.max(most, backend.memory.bytesInUse);
      }
      return most;
    };
    expect(mostOf(10_000)).toBe(mostOf(100));
  });

  test("a stream that is left returns everything and closes the source", () => {
    const [backend, params] = warm();
    const before = backend.memory.bytesInUse;
    let isClosed = false;
    const close = () => {
      isClosed = true;
    };
    for (const { end } of windowsOf(backend, params, Infinity, close)) if (end === 10) break;
    expect(isClosed).toBe(true);
    expect(backend.memory.bytesInUse).toBe(before);
  });

  test("what an asynchronous source makes is returned with its sequence", async () => {
    const backend = createBackend();
    const before = backend.memory.bytesInUse;
    async function* source(): AsyncGenerator<LaneSequence> {
      for (let i = 0; i < 2000; i++) {
        await null;
        yield { inputs: zeros([2, 100], { backend }), targets: zeros([2, 1], { backend }) };
      }
    }
    let most = 0;
    const stream = lanes(source(), { rows: 2 });
    for (;;) {
      // As a scope would, which cannot be open across an await.
      const { done, value } = await stream.next();
      if (done === true) break;
      most = Math.max(most, backend.memory.bytesInUse - before);
      for (const x of [value.input, value.target, value.reset, value.mask])
        consume(x, null, "a test");
    }
    expect(most).toBeLessThan(2 ** 13);
  });

  test("what a source shares between sequences is gone with the first, and says so", () => {
    function* source(): Generator<LaneSequence> {
      const shared = zeros([1, 1]);
      for (;;) yield { inputs: shared, targets: shared };
    }
    const steps = lanes(source(), { rows: 1 });
    steps.next();
    expect(() => steps.next()).toThrow(/its sequence is over; make what sequences share outside/);
  });

  test("an asynchronous source is closed too", async () => {
    let isClosed = false;
    async function* source(): AsyncGenerator<LaneSequence> {
      try {
        for (let i = 0; ; i++) yield counting(3, i);
      } finally {
        isClosed = true;
      }
    }
    for await (const { position } of lanes(source(), { rows: 2 })) if (position[0] === 1) break;
    expect(isClosed).toBe(true);
  });

  test("the source is read when a row is free, and not before", () => {
    let read = 0;
    function* source() {
      for (; read < 100; ) yield counting(2, read++);
    }
    const steps = lanes(source(), { rows: 3 });
    expect(read).toBe(0);
    const counts = Array.from({ length: 4 }, () => {
      steps.next();
      return read;
    });
    expect(counts).toEqual([3, 3, 6, 6]);
  });

  test("a source that throws is not told to close", () => {
    let closed = 0;
    const source = {
      [Symbol.iterator]: () => ({
        next: () => {
          throw new Error("mine");
        },
        return: () => {
          closed++;
          return { done: true as const, value: undefined };
        },
      }),
    };
    expect(() => lanes(source, { rows: 1 }).next()).toThrow("mine");
    expect(closed).toBe(0);
  });
});
