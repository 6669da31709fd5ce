import {
  compile,
  type NestedNumbers,
  Tape,
  type Tensor,
  tensor,
  zeros,
} from "@chronograd/autodiff";
import { checkGradients } from "@chronograd/autodiff/testing";
import { describe, expect, test } from "vitest";
import { dotProductAttention } from "../../src/index.ts";

/** `sin(f)`, `sin(2 f)`, ... */
const waves = (f: number, ...shape: number[]) =>
  tensor(
    Float64Array.from({ length: shape.reduce((n, k) => n * k, 1) }, (_, i) =>
      Math.sin(f * (i + 1)),
    ),
    { shape },
  );
const query = waves(1.3, 2, 2, 3);
const keys = waves(0.7, 2, 4, 3);
const values = waves(2.1, 2, 4, 2);
const mask = tensor(
  [
    [1, 1, 1, 0],
    [1, 0, 1, 0],
  ],
  { dtype: "int32" },
);

const flat = (x: NestedNumbers): number[] => (typeof x === "number" ? [x] : x.flatMap(flat));
function expectClose(actual: Tensor, expected: readonly number[]): void {
  const own = flat(actual.toArray());
  expect(own.length).toBe(expected.length);
  for (const [i, x] of own.entries()) expect(x).toBeCloseTo(expected[i]!, 14);
}

/** What was read, and the gradients of the sum of its squares. */
function run(k: Tensor, v: Tensor) {
  const tape = new Tape();
  const watched = tape.watch({ query, k, v });
  const { read, weights } = dotProductAttention(watched.query, watched.k, watched.v, { mask });
  const gradients = tape.gradient(read.square().sum(), watched);
  return { read: read.detach(), weights: weights.detach(), ...gradients };
}

describe("dotProductAttention", () => {
  // torch 2.15: scaled_dot_product_attention of the same waves and mask, float64, and backward().
  test("has the values and gradients of PyTorch", () => {
    const { read, query: dQuery, k: dKeys, v: dValues } = run(keys, values);
    expectClose(
      read,
      [
        0.23191230229277698, 0.04155464604822022, -0.05703583216836111, -0.2070943558609552,
        0.2112397782485777, 0.47664424082086165, 0.6130759706605527, -0.4229218991048885,
      ],
    );
    expectClose(
      dQuery,
      [
        0.07112455490618985, 0.07938946469430187, 0.05031626874207916, 0.01411934996903898,
        0.05263261637419253, 0.06639194089124659, -0.04416705879415501, -0.17102256730655405,
        -0.2174434901133519, 0.09794924004728241, 0.3792765684643923, 0.48222420037283936,
      ],
    );
    expectClose(
      dKeys,
      [
        0.014218300629067336, 0.034473535283273744, 0.004224959984580868, 0.024995700133656686,
        -0.012429337559368614, -0.031645366609078074, -0.039214000762724015, -0.02204419772390511,
        0.027420406624497205, 0, 0, 0, -0.07721430573473366, -0.3801058357120947,
        -0.12614142587797622, 0, 0, 0, 0.0772143057347337, 0.3801058357120948, 0.12614142587797622,
        0, 0, 0,
      ],
    );
    expectClose(
      dValues,
      [
        0.14195948222558485, -0.1310495074234913, 0.194450858849894, -0.022246986383786554,
        0.013342599173352947, -0.17778292581819205, 0, 0, 0.6731709968020958, 0.5226970264005051, 0,
        0, 0.9754605010161651, -0.41525234296855873, 0, 0,
      ],
    );
  });

  test("is the mean of the values by exponentials of the products", () => {
    const { weights, read } = dotProductAttention(query, keys, values, { scale: 2 });
    const [q, k, v] = [query, keys, values].map((x) => x.toArray() as number[][][]);
    const expected = q!.map((queries, b) =>
      queries.map((one) => {
        const all = k![b]!.map((key) => Math.exp(2 * key.reduce((s, x, d) => s + x * one[d]!, 0)));
        const sum = all.reduce((s, x) => s + x, 0);
        return all.map((x) => x / sum);
      }),
    );
    expectClose(weights, flat(expected));
    const reads = expected.map((rows, b) =>
      rows.map((row) => [0, 1].map((e) => row.reduce((s, w, i) => s + w * v![b]![i]![e]!, 0))),
    );
    expectClose(read, flat(reads));
  });

  test("has the derivatives that differences give, with a mask, and of values that are the keys", () => {
    const given = { query, keys, values };
    const both = (p: typeof given) => dotProductAttention(p.query, p.keys, p.values, { mask });
    expect(checkGradients((p) => both(p).read, given).ok).toBe(true);
    expect(checkGradients((p) => both(p).weights, given).ok).toBe(true);
    const same = (p: { q: Tensor; k: Tensor }) =>
      dotProductAttention(p.q, p.k, p.k, { lengths: [3, 1], scale: 1 }).read;
    expect(checkGradients(same, { q: query, k: keys }).ok).toBe(true);
  });

  test.each([Number.NaN, Infinity, -1e308])(
    "%d where no position is reaches nothing",
    (garbage) => {
      const spoilt = (x: Tensor) => {
        const [, S, D] = x.shape as [number, number, number];
        const marks = mask.toTypedArray();
        const own = Float64Array.from(x.toTypedArray(), (value, i) =>
          marks[Math.floor(i / (S * D)) * S + (Math.floor(i / D) % S)] === 1 ? value : garbage,
        );
        return tensor(own, { shape: x.shape });
      };
      const numbers = (found: object) =>
        Object.entries(found).map(([name, x]) => [name, x.toArray()]);
      expect(numbers(run(spoilt(keys), spoilt(values)))).toEqual(numbers(run(keys, values)));
    },
  );

  test("a row without a position reads zeros, and no NaN arises on the way", () => {
    const tape = new Tape();
    const watched = tape.watch({ query, keys });
    const { weights, read } = dotProductAttention(watched.query, watched.keys, values, {
      lengths: [0, 4],
    });
    expect(weights.slice([0]).toArray()).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(read.slice([0]).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(tape.findNonFinite(read.sum(), { onlyNaN: true })).toBeUndefined();
    const g = tape.gradient(read.sum(), watched);
    expect(
      g.keys
        .slice([0])
        .toTypedArray()
        .every((x) => x === 0),
    ).toBe(true);
  });

  test("lengths and mask leave what both leave, compiled too", () => {
    const options = { mask, lengths: tensor([2, 4], { dtype: "int32" }) };
    const both = tensor(
      [
        [1, 1, 0, 0],
        [1, 0, 1, 0],
      ],
      { dtype: "int32" },
    );
    const expected = dotProductAttention(query, keys, values, { mask: both });
    const found = dotProductAttention(query, keys, values, options);
    expect(found.read.toArray()).toEqual(expected.read.toArray());
    const planned = compile((lengths: Tensor) =>
      dotProductAttention(query, keys, values, { mask, lengths }),
    );
    for (let i = 0; i < 3; i++) {
      expect(planned(options.lengths).read.toArray()).toEqual(expected.read.toArray());
    }
    const marked = dotProductAttention(query, keys, values, { mask: both.mul(-3) });
    expect(marked.weights.toArray()).toEqual(expected.weights.toArray());
  });

  test("scores of any size give weights that sum to 1", () => {
    for (const size of [1e-300, 1e150]) {
      const { weights } = dotProductAttention(query.mul(size), keys.mul(size), values, { mask });
      for (const sum of weights.sum(-1).toTypedArray()) expect(sum).toBeCloseTo(1, 12);
    }
    const nothing = zeros([2, 0, 3], { dtype: "float64" });
    const { read } = dotProductAttention(query, nothing, zeros([2, 0, 2], { dtype: "float64" }));
    expect(read.toArray()).toEqual([
      [
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ]);
  });

  test("refuses what does not fit", () => {
    const act =
      (...given: unknown[]) =>
      () =>
        (dotProductAttention as (...given: unknown[]) => unknown)(...given);
    expect(act(query.slice([0]), keys, values)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: dotProductAttention: query must be a float tensor [rows, queries, size], got Tensor float64 [2,3]]`,
    );
    expect(act(query, [1], values)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: dotProductAttention: keys must be a float tensor [rows, positions, size], got [1]]`,
    );
    expect(act(query.cast("int32"), keys, values)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: dotProductAttention: query must be a float tensor [rows, queries, size], got Tensor int32 [2,2,3]]`,
    );
    expect(act(query, values, values)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dotProductAttention: query [B, Q, D], keys [B, S, D] and values [B, S, E] must agree in B, S and D, got [2,2,3], [2,4,2] and [2,4,2]]`,
    );
    expect(act(query, keys, values.slice([[0, 1]]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dotProductAttention: query [B, Q, D], keys [B, S, D] and values [B, S, E] must agree in B, S and D, got [2,2,3], [2,4,3] and [1,4,2]]`,
    );
    expect(act(query, keys, values, { masks: mask })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: dotProductAttention: there is no option "masks", did you mean "mask"? It takes mask, lengths, scale]`,
    );
    expect(
      act(query, keys, values, { mask: mask.cast("float64") }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dotProductAttention: mask must be int32 [2,4], 1 where a row has a position, got Tensor float64 [2,4]]`,
    );
    expect(act(query, keys, values, { mask: true })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dotProductAttention: mask must be int32 [2,4], 1 where a row has a position, got true]`,
    );
    expect(act(query, keys, values, { lengths: [1, 5] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dotProductAttention: lengths must be 2 whole numbers from 0 to 4, one for each row, got 5]`,
    );
    expect(act(query, keys, values, { lengths: [1] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dotProductAttention: lengths must be 2 whole numbers from 0 to 4, one for each row, got 1 of them]`,
    );
    expect(act(query, keys, values, { lengths: mask })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dotProductAttention: lengths must be 2 whole numbers, one for each row, got Tensor int32 [2,4]]`,
    );
    expect(act(query, keys, values, { scale: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dotProductAttention: scale must be a finite number, got NaN]`,
    );
  });
});
