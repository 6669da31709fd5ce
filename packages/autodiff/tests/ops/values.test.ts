import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  arange,
  argmax,
  concat,
  einsum,
  flip,
  gather,
  logSumExp,
  max,
  norm,
  oneHot,
  pad,
  prod,
  scatterAdd,
  slice,
  softmax,
  split,
  stack,
  sum,
  type Tensor,
  tensor,
  tile,
  transpose,
  variance,
  where,
  zeros,
} from "../../src/index.ts";

const f64 = (x: number[] | number[][] | number[][][]) => tensor(x, { dtype: "float64" });
const close = (x: Tensor, expected: number[], digits = 13) => {
  const found = [...x.toTypedArray()];
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]!).toBeCloseTo(value, digits);
};

/** NumPy's definition of a slice, element by element. */
function naiveSlice(
  length: number,
  start: number | null,
  stop: number | null,
  step: number,
): number[] {
  const at = (v: number) => (v < 0 ? v + length : v);
  const list: number[] = [];
  if (step > 0) {
    const from = start === null ? 0 : Math.max(0, at(start));
    const to = stop === null ? length : Math.min(length, at(stop));
    for (let i = from; i < to; i += step) list.push(i);
  } else {
    const from = start === null ? length - 1 : Math.min(length - 1, at(start));
    const to = stop === null ? -1 : Math.max(-1, at(stop));
    for (let i = from; i > to; i += step) list.push(i);
  }
  return list;
}

describe("slices", () => {
  test("follow Python's rules for every start, stop and step", () => {
    const position = fc.option(fc.integer({ min: -9, max: 9 }));
    const steps = fc.integer({ min: -4, max: 4 }).filter((s) => s !== 0);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 7 }),
        position,
        position,
        steps,
        (length, start, stop, step) => {
          const x = arange(0, length);
          expect(slice(x, [[start, stop, step]]).toArray()).toEqual(
            naiveSlice(length, start, stop, step),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test("take whole rows without copying, and columns with", () => {
    const x = f64([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(slice(x, [1]).block).toBe(x.block);
    expect(slice(x, [null, 1]).toArray()).toEqual([2, 5]);
    expect(slice(x, [-1, [null, null, -1]]).toArray()).toEqual([6, 5, 4]);
  });

  test("split, concat and stack undo each other", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(0, 1, -1),
        (m, n, axis) => {
          const x = arange(0, m * n * 6).reshape([2 * m, 3 * n]);
          const parts = split(x, axis === 0 ? 2 : 3, axis);
          expect(concat(parts, axis).toArray()).toEqual(x.toArray());
          const stacked = stack(parts, axis);
          expect(stacked.size).toBe(x.size);
        },
      ),
    );
  });
});

describe("shapes", () => {
  test("transpose moves element [i,j,k] to [k,i,j]", () => {
    const x = arange(0, 24).reshape([2, 3, 4]);
    const y = transpose(x, [2, 0, 1]).toArray() as number[][][];
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++)
        for (let k = 0; k < 4; k++) expect(y[k]![i]![j]).toBe(i * 12 + j * 4 + k);
  });

  test("tile, flip and pad", () => {
    expect(tile(f64([1, 2]), [2, 2]).toArray()).toEqual([
      [1, 2, 1, 2],
      [1, 2, 1, 2],
    ]);
    expect(
      flip(
        f64([
          [1, 2],
          [3, 4],
        ]),
        1,
      ).toArray(),
    ).toEqual([
      [2, 1],
      [4, 3],
    ]);
    expect(
      pad(
        f64([[1]]),
        [
          [1, 0],
          [0, 2],
        ],
        9,
      ).toArray(),
    ).toEqual([
      [9, 9, 9],
      [1, 9, 9],
    ]);
  });

  test("of size zero pass through", () => {
    expect(zeros([0, 3]).exp().shape).toEqual([0, 3]);
    expect(
      zeros([2, 0])
        .matmul(zeros([0, 3]))
        .toArray(),
    ).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(sum(zeros([0, 3]), 0).toArray()).toEqual([0, 0, 0]);
    expect(concat([zeros([0, 2]), f64([[1, 2]]).cast("float32")]).toArray()).toEqual([[1, 2]]);
    expect(prod(zeros([0, 2]), 0).toArray()).toEqual([1, 1]);
  });
});

describe("reductions", () => {
  const x = f64([
    [
      [1, -2],
      [3, 4],
    ],
    [
      [5, 0],
      [-7, 8],
    ],
  ]);

  test("over any axes are those of nested loops", () => {
    expect(sum(x).item()).toBe(12);
    expect(sum(x, 1).toArray()).toEqual([
      [4, 2],
      [-2, 8],
    ]);
    expect(sum(x, [0, 2]).toArray()).toEqual([4, 8]);
    expect(max(x, [1, 2]).toArray()).toEqual([4, 8]);
    expect(prod(x, [0, 1]).toArray()).toEqual([-105, -0]);
    expect(argmax(x, -1).toArray()).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(argmax(x).item()).toBe(7);
    close(variance(x, undefined, { correction: 1 }), [variance1([1, -2, 3, 4, 5, 0, -7, 8])]);
    close(logSumExp(f64([1000, 1000])), [1000 + Math.LN2], 10);
    expect(logSumExp(f64([-Infinity, -Infinity])).item()).toBe(-Infinity);
  });

  test("norms neither overflow nor vanish", () => {
    expect(norm(f64([3e200, 4e200])).item() / 5e200).toBeCloseTo(1, 14);
    expect(norm(f64([3e-200, 4e-200])).item() / 5e-200).toBeCloseTo(1, 14);
    expect(norm(f64([0, 0])).item()).toBe(0);
    expect(norm(f64([-3, 4]), undefined, { order: 1 }).item()).toBe(7);
    expect(norm(f64([-3, 2]), undefined, { order: Infinity }).item()).toBe(3);
  });

  test("float32 sums of many keep close to the exact one", () => {
    const n = 1_000_000;
    const data = new Float32Array(n).fill(0.1);
    const exact = n * Math.fround(0.1);
    expect(Math.abs(sum(tensor(data)).item() - exact) / exact).toBeLessThan(1e-7);
  });
});

function variance1(x: number[]): number {
  const mean = x.reduce((a, b) => a + b) / x.length;
  return x.reduce((s, v) => s + (v - mean) ** 2, 0) / (x.length - 1);
}

describe("choosing and indexing", () => {
  test("where with any condition, NaN untouched on the other side", () => {
    expect(where(f64([1, 0, 2]), f64([1, 2, 3]), Number.NaN).toArray()).toEqual([1, Number.NaN, 3]);
    expect(where(tensor(Int32Array.of(0, 1)), f64([1, 2]), 0).toArray()).toEqual([0, 2]);
  });

  test("gather and scatterAdd, repeated indices adding up", () => {
    const table = f64([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(gather(table, [2, 0, 2]).toArray()).toEqual([
      [5, 6],
      [1, 2],
      [5, 6],
    ]);
    expect(gather(table, [1], 1).toArray()).toEqual([[2], [4], [6]]);
    const g = f64([
      [1, 1],
      [10, 10],
      [100, 100],
    ]);
    expect(scatterAdd(table, [2, 0, 2], g).toArray()).toEqual([
      [11, 12],
      [3, 4],
      [106, 107],
    ]);
    expect(oneHot(tensor(Int32Array.of(2, 0)), 3).toArray()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
  });

  test("softmax along any axis sums to 1, at any scale", () => {
    for (const axis of [0, 1]) {
      const p = softmax(
        f64([
          [1e4, 0],
          [1e4, -1e4],
        ]),
        axis,
      );
      close(sum(p, axis), [1, 1]);
    }
  });
});

describe("einsum", () => {
  test.each([
    ["ij,jk->ik", [2, 3], [3, 4]],
    ["bij,bjk->bik", [2, 2, 3], [2, 3, 2]],
    ["ij,kj->ik", [2, 3], [4, 3]],
    ["i,j->ji", [3], [2]],
    ["bi,bi->b", [3, 2], [3, 2]],
    ["ijk,kl->ijl", [2, 2, 3], [3, 2]],
    ["iij,j->i", [2, 2, 3], [3]],
  ])("%s is its definition", (equation, a, b) => {
    const [x, y] = [a, b].map((shape, i) => {
      const size = shape.reduce((p, n) => p * n, 1);
      return tensor(
        Float64Array.from({ length: size }, (_, k) => Math.sin(7 * k + i)),
        { shape },
      );
    }) as [Tensor, Tensor];
    const [inputs, output] = equation.split("->") as [string, string];
    const letters = [...new Set(inputs.replace(",", ""))];
    const [la, lb] = inputs.split(",") as [string, string];
    const lengthOf = (c: string) => (la.includes(c) ? a[la.indexOf(c)]! : b[lb.indexOf(c)]!);
    const at = (t: Tensor, labels: string, index: Record<string, number>): number => {
      let position = 0;
      for (const [i, c] of [...labels].entries()) position = position * t.shape[i]! + index[c]!;
      return t.toTypedArray()[position]!;
    };
    const shape = [...output].map(lengthOf);
    const expected = new Array<number>(shape.reduce((p, n) => p * n, 1)).fill(0);
    const total = letters.reduce((p, c) => p * lengthOf(c), 1);
    for (let n = 0; n < total; n++) {
      let rest = n;
      const index: Record<string, number> = {};
      for (const c of letters) {
        index[c] = rest % lengthOf(c);
        rest = Math.floor(rest / lengthOf(c));
      }
      let position = 0;
      for (const [i, c] of [...output].entries()) position = position * shape[i]! + index[c]!;
      expected[position]! += at(x, la, index) * at(y, lb, index);
    }
    close(einsum(equation, x, y), expected, 12);
  });
});
