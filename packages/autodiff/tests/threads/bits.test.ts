import type { KernelSetName } from "@chronograd/autodiff";
import { createBackend, nativeBlas, zeros } from "@chronograd/autodiff";
import { simdKernels } from "@chronograd/autodiff/extend";
import { expect, test } from "vitest";
import { ThreadPool } from "../../src/threads/pool.ts";
import { bytesOf, given, model, planned, run, warm } from "./sharded.ts";

const sets: readonly KernelSetName[] = ["native", "simd", "simd-plain", "simd-relaxed"];
const named = nativeBlas().found ? [...sets, "blas" as const] : sets;

test.each(named)("1, 2, 3 and 4 threads give the same bits, with %s", async (kernels) => {
  const backend = createBackend({ kernels });
  const [count, rows, columns] = [4, 12, 40];
  const parts = Array.from({ length: count }, (_, i) => given(rows, columns, 10 * i, backend));
  const plans = [1, 2, 3, 4].map((threads) =>
    planned(model, parts[0]!, { count, threads, isFixed: true }),
  );
  const expected = run(plans[0]!, parts);
  // Of one part alone, by another plan.
  const alone = planned(model, parts[0]!, { count: 1, threads: 1, isFixed: true });
  const [forward] = alone.forwardShards(alone.tensorsOf([parts[2]!])!);
  const { y } = forward!.value;
  const { length } = bytesOf(y);
  expect(bytesOf(y).equals(expected.subarray(2 * length, 3 * length))).toBe(true);
  forward!.end("the test is over");
  const pool = ThreadPool.of(backend) as ThreadPool;
  await warm(
    () => run(plans[3]!, parts),
    () => pool.isUp(4),
  );
  const before = pool.done;
  // On a busy machine the caller may be done before a thread has woken up.
  for (let i = 0; i < 30 || (i < 3000 && pool.done === before); i++) {
    expect(run(plans[i % 4]!, parts).equals(expected)).toBe(true);
  }
  expect(pool.done).toBeGreaterThan(before);
});

test("memory that grows, and that of plans which ended, is the same for all threads", async () => {
  const backend = createBackend({ kernels: "native" });
  const { memory } = backend;
  const parts = [0, 1, 2].map((i) => given(6, 20, 10 * i, backend));
  const shards = { count: 3, isFixed: true };
  const expected = run(planned(model, parts[0]!, { ...shards, threads: 1 }), parts);
  const pool = ThreadPool.of(backend) as ThreadPool;
  const first = planned(model, parts[0]!, { ...shards, threads: 3 });
  await warm(
    () => run(first, parts),
    () => pool.isUp(3),
  );
  const { growths } = memory;
  for (let i = 0; i < 12; i++) {
    // What is allocated from here on lies where no thread has looked yet.
    zeros([2 ** 18 * (i + 1)], { backend });
    const plan = planned(model, parts[0]!, { ...shards, threads: 3 });
    expect(run(plan, parts).equals(expected)).toBe(true);
    plan.end("another one takes its memory");
    expect(run(first, parts).equals(expected)).toBe(true);
  }
  expect(memory.growths).toBeGreaterThan(growths);
  expect(first.explain()).toMatch(/; for each of 3 shards, on 3 threads$/);
});

test("as many threads as were asked for are compared with one, unless they are fixed", async () => {
  const backend = createBackend({ kernels: "simd" });
  const parts = [0, 1].map((i) => given(6, 20, 10 * i, backend));
  const pool = ThreadPool.of(backend) as ThreadPool;
  const plan = planned(model, parts[0]!, { count: 2, threads: 8, isFixed: false });
  expect(plan.explain()).toMatch(/on 2 threads until it was measured$/);
  await warm(
    () => run(plan, parts),
    () => pool.isUp(2),
  );
  for (let i = 0; i < 30; i++) run(plan, parts);
  expect(plan.explain()).toMatch(
    /on (one thread, because 2 threads were only|2 threads,) \d+\.\d\d /,
  );
  const own = createBackend({ kernels: simdKernels });
  const alone = planned(model, given(6, 20, 0, own), { count: 2, threads: 2, isFixed: true });
  expect(alone.explain()).toMatch(
    /on one thread, because the backend's kernels are made by a function, which threads cannot call$/,
  );
});
