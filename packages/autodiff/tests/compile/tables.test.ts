import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, concat, scope, Tape, type Tensor, tensor, tree } from "../../src/index.ts";

/** Numbers from -1 to 1 that look irregular. */
function numbers(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: size }, (_, i) => Math.sin(1 + 7.3 * i + 1.7 * seed));
  return tensor(values, { shape, dtype: "float64" });
}

/** What is done with looked-up rows, besides products. */
const others = ["nothing", "tanh", "scaled", "loss", "pair"] as const;

interface Setting {
  /** Rows of the table, steps, rows looked up in each. */
  readonly V: number;
  readonly T: number;
  readonly B: number;
  readonly K: number;
  readonly n: number;
  /** Whether rows are looked up at once, by each step's part of the indices, or by indices of its own. */
  readonly how: "whole" | "parts" | "apart";
  /** Whether two products share the rows. */
  readonly twice: boolean;
  readonly other: (typeof others)[number];
  readonly recurrent: boolean;
}

/** A loss of looked-up rows, with gradients by the table and the weights. */
function experiment({ T, K, n, how, twice, other, recurrent }: Setting) {
  return (params: Record<string, Tensor>, indices: Tensor | readonly Tensor[]) => {
    const tape = new Tape();
    const { E, W, W2, U } = tape.watch(params) as Record<"E" | "W" | "W2" | "U", Tensor>;
    const all = how === "whole" ? E.gather(indices as Tensor) : undefined;
    const indicesAt = (t: number): Tensor =>
      how === "parts" ? (indices as Tensor).slice([t + 1]) : (indices as readonly Tensor[])[t]!;
    /** What another step looks up. */
    const turned = (t: number): Tensor =>
      how === "whole" ? (indices as Tensor).slice([(t + 1) % T]) : indicesAt((t + 1) % T);
    let h: Tensor | undefined;
    let loss: Tensor = W.sum().mul(0.1);
    for (let t = 0; t < T; t++) {
      const x = all === undefined ? E.gather(indicesAt(t)) : all.slice([t]);
      let y = x.matmul(W);
      // The same cotangent flows back through other rows of the same table.
      if (other === "pair") y = y.add(E.gather(turned(t)).matmul(W));
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

function inputs({ V, T, B, K, n, how }: Setting, seed: number) {
  const params = {
    E: numbers([V, K], seed),
    W: numbers([K, n], seed + 1),
    W2: numbers([K, 2], seed + 2),
    U: numbers([n, n], seed + 3),
  };
  const drawn = Int32Array.from({ length: T * B }, (_, i) => Math.abs(seed + i * i * 7) % V);
  const whole = tensor(Int32Array.of(...drawn.slice(0, how === "parts" ? B : 0), ...drawn), {
    shape: [how === "parts" ? T + 1 : T, B],
  });
  const parts = Array.from({ length: T }, (_, t) => tensor(drawn.slice(t * B, (t + 1) * B)));
  return [params, how === "apart" ? parts : whole] as const;
}

describe("products of looked-up rows", () => {
  test("give the same by way of their table", () => {
    const settings: fc.Arbitrary<Setting> = fc.record({
      V: fc.integer({ min: 1, max: 8 }),
      T: fc.integer({ min: 1, max: 7 }),
      B: fc.integer({ min: 1, max: 6 }),
      K: fc.integer({ min: 1, max: 6 }),
      n: fc.integer({ min: 1, max: 5 }),
      how: fc.constantFrom("whole", "parts", "apart"),
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
          const expected = tree.leavesWithPath(f(...given));
          const found = new Map(tree.leavesWithPath(compiled(...given)));
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

  test.each(["whole", "parts", "apart"] as const)("have the rows of the table, %s", (how) => {
    scope(() => {
      const setting = { V: 5, T: 6, B: 4, K: 8, n: 3, how, twice: false, recurrent: true };
      const f = compile(experiment({ ...setting, other: "nothing" }));
      f(...inputs({ ...setting, other: "nothing" }, 1));
      const text = f.explain();
      // One product with the table, one for W's gradient, one for the table's: no other has to do with x.
      expect(text).toMatch(/3 products by way of a table/);
    });
  });
});

describe("copies", () => {
  test.each<[string, (x: Tensor) => Tensor]>([
    [
      "of a part",
      (x) =>
        x
          .tanh()
          .slice([[1, 3]])
          .clone()
          .mul(2),
    ],
    [
      "of parts that change places",
      (x) => concat([x.tanh().slice([[2, 4]]), x.tanh().slice([[0, 2]])]),
    ],
    [
      "of parts of two values",
      (x) => concat([x.tanh().slice([[0, 2]]), x.sin().slice([[2, 4]])]).mul(2),
    ],
    ["of two values", (x) => concat([x.tanh(), x.sin()]).mul(2)],
    [
      "of a value that is used besides",
      (x) => {
        const y = x.tanh();
        return y.clone().mul(2).add(y);
      },
    ],
  ])("%s", (_, f) => {
    scope(() => {
      const x = numbers([4, 8], 3);
      const g = (w: Tensor) => {
        const tape = new Tape();
        const watched = tape.watch(w);
        const y = f(watched);
        return [tape.strip(y), tape.gradient(y.square().sum(), watched)];
      };
      const [expected, found] = [g(x), compile(g)(x)];
      for (const i of [0, 1]) expect(found[i]!.toArray()).toEqual(expected[i]!.toArray());
    });
  });
});
