import { setTimeout as delay } from "node:timers/promises";
import { createBackend, tensor } from "@chronograd/autodiff";
import { simdKernels } from "@chronograd/autodiff/extend";
import { expect, test } from "vitest";
import { ThreadPool } from "../../src/threads/pool.ts";
import { Counting } from "./handmade.ts";

test("each task of thousands of jobs runs once, on any number of threads", async () => {
  const counting = await new Counting(4).up(4);
  let state = 1;
  const draw = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  for (let job = 0; job < 3000; job++) {
    counting.run(1 + draw(draw(10) === 0 ? 255 : 8), 1 + draw(4));
    // Threads fall asleep now and then.
    if (draw(300) === 0) await delay(1);
  }
  const before = counting.pool.done;
  counting.run(2, 4, 0, counting.waits());
  expect(counting.pool.done).toBeGreaterThan(before);
  expect(() => counting.run(256, 2)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: threads: at most 255 tasks, got 256]`,
  );
});

test("what a thread throws is the caller's error, and the pool goes on", async () => {
  const counting = await new Counting(2).up(2);
  const idle = new Int32Array(new SharedArrayBuffer(4));
  // Long enough for a thread to wake up on a busy machine.
  const slow = () => void Atomics.wait(idle, 0, 0, 300);
  expect(() => counting.run(2, 2, 1, slow)).toThrowErrorMatchingInlineSnapshot(
    `[Error: threads: thread 1 could not run a plan: unreachable; with threads: 1 the calling thread runs all of it]`,
  );
  counting.program = counting.share(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  expect(() => counting.run(2, 2, 0, slow)).toThrowErrorMatchingInlineSnapshot(
    `[Error: threads: thread 1 could not run a plan: kernels: a module imports no memory; with threads: 1 the calling thread runs all of it]`,
  );
  counting.program = counting.share();
  const before = counting.pool.done;
  counting.run(2, 2, 0, counting.waits());
  expect(counting.pool.done).toBeGreaterThan(before);
  const throws = () => {
    throw new Error("the caller's own");
  };
  expect(() => counting.run(8, 1, 0, throws)).toThrow("the caller's own");
});

test("programs that gave way to others are loaded again", async () => {
  const counting = await new Counting(2).up(2);
  const programs = Array.from({ length: 70 }, () => counting.share());
  expect(new Set(programs.map(({ number }) => number)).size).toBe(70);
  for (const program of [...programs, programs[0]!, programs[69]!]) {
    counting.program = program;
    const before = counting.pool.done;
    counting.run(2, 2, 0, counting.waits());
    expect(counting.pool.done).toBeGreaterThan(before);
  }
});

test("backends have a pool each", async () => {
  const [one, other] = await Promise.all([new Counting(2).up(2), new Counting(3).up(3)]);
  expect(one!.pool).not.toBe(other!.pool);
  expect(ThreadPool.of(one!.backend)).toBe(one!.pool);
  for (let i = 0; i < 200; i++) {
    one!.run(4, 2);
    other!.run(6, 3);
  }
});

test("there is no pool for kernels that a function makes, nor without shared memory", () => {
  expect(ThreadPool.of(createBackend({ kernels: simdKernels }))).toMatchInlineSnapshot(
    `"the backend's kernels are made by a function, which threads cannot call"`,
  );
  const { memory, kernelSet } = createBackend();
  const unshared = Object.create(memory, { isShared: { value: false } });
  expect(ThreadPool.of({ memory: unshared, kernelSet })).toMatchInlineSnapshot(
    `"this environment has no shared memory"`,
  );
  expect(tensor([1]).backend.memory.isShared).toBe(true);
});
