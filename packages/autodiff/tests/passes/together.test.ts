import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBackend, scope, Tape, type Tensor, tensor, tree } from "../../src/index.ts";
import { liveView } from "../../src/ndarray.ts";

/** Numbers from -1 to 1 that look irregular. */
function numbers(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => Math.sin(1 + i * 7.3 + seed * 1.7));
}

/** One use of the weight `w [k,n]` after another, by its kind; each gives a scalar. */
const uses = {
  product: (w: Tensor, x: Tensor) => x.matmul(w).tanh(),
  batch: (w: Tensor, x: Tensor) =>
    x
      .reshape([1, ...x.shape])
      .matmul(w)
      .tanh(),
  transposed: (w: Tensor, x: Tensor) => x.transpose().matmul(w, { transposeA: true }).tanh(),
  other: (w: Tensor) => w.square(),
  left: (w: Tensor) => w.matmul(w, { transposeB: true }).tanh(),
} as const;

describe("a weight that many steps share", () => {
  test("gets the sum of what each step gives it", () => {
    const kind = fc.constantFrom(...(Object.keys(uses) as (keyof typeof uses)[]));
    const steps = fc.array(fc.tuple(kind, fc.integer({ min: 1, max: 3 })), {
      minLength: 1,
      maxLength: 80,
    });
    const size = fc.integer({ min: 1, max: 24 });
    fc.assert(
      fc.property(steps, size, size, (list, k, n) => {
        scope(() => {
          const w = tensor(numbers(k * n, 3), { shape: [k, n], dtype: "float64" });
          const inputs = list.map(([, m], t) =>
            tensor(numbers(m * k, t), { shape: [m, k], dtype: "float64" }),
          );
          const one = (t: number, weight: Tensor): Tensor => {
            const y = uses[list[t]![0]](weight, inputs[t]!);
            return y.mul(tensor(numbers(1, t), { dtype: "float64" })).sum();
          };
          const tape = new Tape();
          const shared = tape.watch(w);
          let loss = one(0, shared);
          for (let t = 1; t < list.length; t++) loss = loss.add(one(t, shared));
          const together = tape.gradient(loss, shared).toTypedArray();
          const expected = new Float64Array(k * n);
          for (let t = 0; t < list.length; t++) {
            const own = new Tape();
            const alone = own.watch(w);
            const g = own.gradient(one(t, alone), alone).toTypedArray();
            for (let i = 0; i < g.length; i++) expected[i]! += g[i]!;
          }
          for (const [i, value] of together.entries()) {
            expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-12 * list.length);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  test("leaves nothing behind, also where a rule throws half-way", () => {
    const backend = createBackend();
    const run = (fails: boolean) =>
      scope(() => {
        const w = tensor(numbers(240, 1), { shape: [20, 12], dtype: "float64", backend });
        const x = tensor(numbers(40, 2), { shape: [2, 20], dtype: "float64", backend });
        const tape = new Tape();
        const { weight, start } = tape.watch({ weight: w, start: x });
        let y = start;
        for (let t = 0; t < 40; t++)
          y = y.matmul(weight).matmul(weight, { transposeB: true }).tanh();
        if (fails) liveView(x).set(0, 0, 7);
        const gradients = tape.gradient(y.sum(), { weight, start });
        return tree.leaves(tree.map(gradients, (g: Tensor) => g.shape)).length;
      });
    run(false);
    const before = backend.memory.bytesInUse;
    run(false);
    expect(backend.memory.bytesInUse).toBe(before);
    expect(() => run(true)).toThrow(/was changed through a live view/);
    expect(backend.memory.bytesInUse).toBe(before);
  });
});
