import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Call, callOf } from "../../src/compile/call.ts";
import { inSpans } from "../../src/compile/spans.ts";
import { compile, createBackend, type Tensor, tensor, tree } from "../../src/index.ts";
import { ThreadPool } from "../../src/threads/pool.ts";

const backend = createBackend();
const pool = ThreadPool.of(backend);
if (pool instanceof ThreadPool) pool.start(2);
const isUp = async () => {
  for (let i = 0; i < 500 && pool instanceof ThreadPool && !pool.isUp(2); i++) await setTimeout(10);
};

const values = (n: number, seed: number, dtype: "float32" | "float64") => {
  const data = dtype === "float32" ? new Float32Array(n) : new Float64Array(n);
  for (let i = 0; i < n; i++) data[i] = Math.sin(seed + 1.7 * i);
  return tensor(data, { dtype, backend });
};

/** Element-wise steps over a few tensors; each reads what earlier ones wrote. */
type Step = readonly [op: number, a: number, b: number];
const steps = fc.array(fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)), { minLength: 1, maxLength: 9 });

/**
 * All values after the steps; where shapes differ, a step takes a number of the other instead.
 *
 * @param constants from outside, one of each size
 */
function run(
  xs: readonly Tensor[],
  program: readonly Step[],
  constants: readonly Tensor[],
): Tensor[] {
  const all = [...xs];
  for (const [op, i, j] of program) {
    const [a, b] = [all[i % all.length]!, all[j % all.length]!];
    const other = a.size === b.size ? b : b.sum().div(b.size);
    const results = [
      () => a.add(other),
      () => a.mul(other),
      () => a.sub(other),
      () => a.mul(0.5),
      () => a.neg(),
      () => a.tanh().add(other),
      () => a.mul(constants.find(({ size }) => size === a.size) ?? 2),
      () => a.slice([[0, Math.min(a.size, 40)]]).neg(),
      // By one element for all, which may be in the last span.
      () => a.mul(b.slice([[b.size - 1, b.size]])),
      // Not element by element.
      () => a.add(a.square().sum().div(a.size)),
    ];
    all.push(results[op]!());
  }
  return all.slice(xs.length);
}

const bytes = (all: readonly Tensor[]) => all.map((x) => [...x.toTypedArray()]);

test("programs that end element by element give the same bits in spans and on threads", async () => {
  await isUp();
  let inSpans = 0;
  fc.assert(
    fc.property(
      steps,
      fc.constantFrom<"float32" | "float64">("float32", "float64"),
      fc.constantFrom([5, 4097], [20_000, 31], [70_001, 70_001], [40_000, 33_333]),
      (program, dtype, sizes) => {
        const xs = sizes.map((n, i) => values(n, i, dtype));
        const constants = sizes.map((n, i) => values(n, 0.3 + i, dtype));
        const f = compile((...given: Tensor[]) => run(given, program, constants));
        const expected = bytes(run(xs, program, constants));
        for (let call = 0; call < 2; call++) expect(bytes(f(...xs))).toEqual(expected);
        if (/in \d+ spans/.test(f.explain())) inSpans++;
      },
    ),
    { seed: 15, numRuns: 40 },
  );
  if (pool instanceof ThreadPool) {
    expect(inSpans).toBeGreaterThan(5);
    expect(pool.done).toBeGreaterThan(0);
  }
});

test("what is left of a program after element-wise steps runs after them", () => {
  const f = compile((x: Tensor, y: Tensor) => {
    const z = x.add(y);
    const scale = z.sum();
    return { z, w: z.mul(scale), least: y.neg() };
  });
  const [x, y] = [values(70_000, 0, "float64"), values(70_000, 1, "float64")];
  const { z, w } = f(x, y);
  const [first] = z.toTypedArray();
  expect(first).toBe(Math.sin(0) + Math.sin(1));
  expect(w.toTypedArray()[0]).toBe(first! * z.sum().item());
  expect(tree.leaves(f(x, y))).toHaveLength(3);
});

describe("in a program", () => {
  const n = 2 ** 16;
  /** Buffers of n numbers each, and one of a single number. */
  const buffers = [...Array.from({ length: 4 }, () => 4 * n), 8].map((bytes, slot) => ({
    bytes,
    slot,
  }));
  const at = (buffer: number) => ({ buffer, offset: 0 });
  const setting = { family: "float32", phase: 0 } as const;
  const neg = (x: number, y: number, length = n) =>
    callOf(setting, "neg", { n: length, x: at(x), y: at(y) });
  const limit = (x: number, norm: number, y: number) =>
    callOf(setting, "limitNorm", { n, x: at(x), norm: at(norm), limit: 1, y: at(y) });
  /** The runs of each call, by the buffer that it writes: 0 before, 1 and 2 in spans, 3 after. */
  const runsOf = (calls: readonly Call[], guarded: readonly number[] = []) => {
    const cut = inSpans({ buffers, calls, checks: [] }, 0, new Set(guarded), () => 2);
    return cut.calls.map((call) => `${call.buffers.at(-1)} in ${call.phase}`);
  };

  test("calls on the same elements are cut alike", () => {
    expect(runsOf([limit(0, 4, 1), neg(1, 2)])).toEqual(["1 in 1", "2 in 1", "1 in 2", "2 in 2"]);
  });

  test("a number for all that is one of the elements is read after they are written", () => {
    expect(runsOf([neg(0, 1), limit(2, 1, 3)])).toEqual(["1 in 1", "1 in 2", "3 in 3"]);
  });

  test("a number for all is not overwritten before all have read it", () => {
    expect(runsOf([limit(0, 1, 2), neg(3, 1)])).toEqual(["2 in 1", "2 in 2", "1 in 3"]);
  });

  test("some of the elements are read after all are written", () => {
    expect(runsOf([neg(0, 1), neg(1, 2, 40)])).toEqual(["1 in 1", "1 in 2", "2 in 3"]);
  });

  test("what stands behind but does not depend on them runs before", () => {
    const tiny = callOf(setting, "neg", { n: 1, x: at(4), y: at(4) });
    expect(runsOf([neg(0, 1), tiny])).toEqual(["4 in 0", "1 in 1", "1 in 2"]);
  });

  test("what a guard reads is not cut", () => {
    expect(runsOf([neg(0, 1), neg(1, 2)], [2])).toEqual(["1 in 0", "2 in 0"]);
  });
});
