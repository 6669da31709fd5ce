import type { KernelSetName } from "@chronograd/autodiff";
import { createBackend, nativeBlas } from "@chronograd/autodiff";
import { expect, test } from "vitest";
import { ThreadPool } from "../../src/threads/pool.ts";
import { bytesOf, given, model, planned, run, warm } from "./sharded.ts";

const sets: readonly KernelSetName[] = ["native", "simd", "simd-plain", "simd-relaxed"];
const named = nativeBlas().found ? [...sets, "blas" as const] : sets;

test.each(named)("1, 2, 3 and 4 threads give the same bits, with %s", async (kernels) => {
  const backend = createBackend({ kernels });
  const [count, rows, columns] = [4, 24, 40];
  const parts = Array.from({ length: count }, (_, i) => given(rows, columns, 10 * i, backend));
  const plans = [1, 2, 3, 4].map((threads) =>
    planned(model, parts[0]!, { count, threads, isFixed: true }),
  );
  const expected = run(plans[0]!, parts);
  // Of one part alone, by another plan.
  const alone = planned(model, parts[0]!, { count: 1, threads: 1, isFixed: true });
  const forward = alone.forward(parts[2]!);
  const { y } = forward.value;
  const { length } = bytesOf(y);
  expect(bytesOf(y).equals(expected.subarray(2 * length, 3 * length))).toBe(true);
  forward.end("the test is over");
  const pool = ThreadPool.of(backend) as ThreadPool;
  await warm(
    () => run(plans[3]!, parts),
    () => pool.isUp(4),
  );
  const before = pool.done;
  for (let i = 0; i < 60; i++) expect(run(plans[i % 4]!, parts).equals(expected)).toBe(true);
  expect(pool.done).toBeGreaterThan(before);
});
