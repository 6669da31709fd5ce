import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, flatten, scope, Tape, type Tensor, tensor } from "../../src/index.ts";

/** Numbers from -1 to 1 that look irregular. */
function numbers(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: size }, (_, i) => Math.sin(1 + 7.3 * i + 1.7 * seed));
  return tensor(values, { shape, dtype: "float64" });
}

/** What is done with looked-up rows, besides products. */
const others = ["nothing", "tanh", "scaled", "loss"] as const;

interface Setting {
  /** Rows of the table, steps, rows looked up in each. */
  readonly V: number;
  readonly T: number;
  readonly B: number;
  readonly K: number;
  readonly n: number;
  /** Whether each step has indices of its own. */
  readonly apart: boolean;
  /** Whether two products share the rows. */
  readonly twice: boolean;
  readonly other: (typeof others)[number];
  readonly recurrent: boolean;
}

/** A loss of looked-up rows, with gradients by the table and the weights. */
function experiment({ T, K, n, apart, twice, other, recurrent }: Setting) {
  return (params: Record<string, Tensor>, indices: Tensor | readonly Tensor[]) => {
    const tape = new Tape();
    const { E, W, W2, U } = tape.watch(params) as Record<"E" | "W" | "W2" | "U", Tensor>;
    const all = apart ? undefined : E.gather(indices as Tensor);
    let h: Tensor | undefined;
    let loss: Tensor = W.sum().mul(0.1);
    for (let t = 0; t < T; t++) {
      const x = all === undefined ? E.gather((indices as readonly Tensor[])[t]!) : all.slice([t]);
      let y = x.matmul(W);
      if (recurrent && h !== undefined) y = y.add(h.matmul(U));
      h = y.tanh();
      loss = loss.add(h.mul(numbers([n], t)).sum());
      if (twice) loss = loss.add(x.matmul(W2).square().sum());
      if (other === "tanh") loss = loss.add(x.tanh().sum());
      if (other === "scaled" && t === 0) loss = loss.add(x.mul(0.5).matmul(W).sum());
      if (other === "loss") loss = loss.add(x.sum());
    }
    expect(h!.shape.at(-1)).toBe(n);
    expect(E.shape[1]).toBe(K);
    return { loss: tape.strip(loss), gradients: tape.gradient(loss, { E, W, W2, U }) };
  };
}

function inputs({ V, T, B, K, n, apart }: Setting, seed: number) {
  const params = {
    E: numbers([V, K], seed),
    W: numbers([K, n], seed + 1),
    W2: numbers([K, 2], seed + 2),
    U: numbers([n, n], seed + 3),
  };
  const drawn = Int32Array.from({ length: T * B }, (_, i) => Math.abs(seed + i * i * 7) % V);
  const whole = tensor(drawn, { shape: [T, B] });
  const parts = Array.from({ length: T }, (_, t) => tensor(drawn.slice(t * B, (t + 1) * B)));
  return [params, apart ? parts : whole] as const;
}

describe("products of looked-up rows", () => {
  test("give the same by way of their table", () => {
    const settings: fc.Arbitrary<Setting> = fc.record({
      V: fc.integer({ min: 1, max: 8 }),
      T: fc.integer({ min: 1, max: 7 }),
      B: fc.integer({ min: 1, max: 6 }),
      K: fc.integer({ min: 1, max: 6 }),
      n: fc.integer({ min: 1, max: 5 }),
      apart: fc.boolean(),
      twice: fc.boolean(),
      other: fc.constantFrom(...others),
      recurrent: fc.boolean(),
    });
    fc.assert(
      fc.property(settings, fc.nat(1000), (setting, seed) => {
        scope(() => {
          const f = experiment(setting);
          const compiled = compile(f);
          const given = inputs(setting, seed);
          const expected = flatten(f(...given));
          const found = new Map(flatten(compiled(...given)));
          expect(compiled.explain()).not.toMatch(/not compiled/);
          for (const [path, value] of expected) {
            const [want, got] = [value.toTypedArray(), found.get(path)!.toTypedArray()];
            for (const [i, x] of want.entries()) {
              const scale = 1 + setting.T * setting.B;
              expect(Math.abs(got[i]! - x), `${path} ${i}`).toBeLessThan(1e-12 * scale);
            }
          }
          // With other numbers too: what is replayed has kept none of these.
          const others = inputs(setting, seed + 5);
          const again = compiled(...others).loss.item();
          expect(Math.abs(again - f(...others).loss.item())).toBeLessThan(1e-10);
        });
      }),
      { numRuns: 120 },
    );
  });

  test.each([true, false])("have the rows of the table, indices apart: %s", (apart) => {
    scope(() => {
      const setting = { V: 5, T: 6, B: 4, K: 8, n: 3, apart, twice: false, recurrent: true };
      const f = compile(experiment({ ...setting, other: "nothing" }));
      f(...inputs({ ...setting, other: "nothing" }, 1));
      const text = f.explain();
      // One product with the table, one for W's gradient, one for the table's: no other has to do with x.
      expect(text).toMatch(/3 products by way of a table/);
    });
  });
});
