import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
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
const steps = fc.array(fc.tuple(fc.nat(8), fc.nat(9), fc.nat(9)), { minLength: 1, maxLength: 9 });

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
