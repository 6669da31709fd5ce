import { createBackend, type NestedNumbers } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { padded, type RaggedSequence } from "../../src/data.ts";

const symbols = fc.array(fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), {
  minLength: 1,
  maxLength: 6,
});
const vectors = fc.integer({ min: 1, max: 4 }).chain((width) =>
  fc.array(fc.array(fc.array(fc.float(), { minLength: width, maxLength: width })), {
    minLength: 1,
    maxLength: 6,
  }),
);

/** Takes the rows out again, step by step, with a check that the rest is the fill. */
function rowsOf({ values, lengths }: ReturnType<typeof padded>, fill: number) {
  const steps = values.toArray() as NestedNumbers[][];
  return lengths.map((length, row) => {
    const own = steps.map((step) => step[row]!);
    expect(
      own
        .slice(length)
        .flat(2)
        .every((value) => Object.is(value, fill)),
    ).toBe(true);
    return own.slice(0, length);
  });
}

describe("the values are the sequences", () => {
  test("of numbers: int32 [T, B]", () => {
    fc.assert(
      fc.property(symbols, fc.constantFrom(0, -1), (sequences, fill) => {
        fc.pre(sequences.some(({ length }) => length > 0));
        const batch = padded(sequences, { fill });
        expect(rowsOf(batch, fill)).toEqual(sequences.map((s) => s.map((x) => x + 0)));
        expect(batch.lengths).toEqual(sequences.map(({ length }) => length));
        expect(batch.values.dtype).toBe("int32");
        expect(batch.values.shape).toEqual([Math.max(...batch.lengths), sequences.length]);
      }),
    );
  });

  test("of vectors: float32 [T, B, I], with NaN and infinity as data", () => {
    fc.assert(
      fc.property(vectors, (sequences) => {
        fc.pre(sequences.some(({ length }) => length > 0));
        const batch = padded(sequences);
        expect(rowsOf(batch, 0)).toEqual(sequences);
        expect(batch.values.dtype).toBe("float32");
        const width = sequences.flat()[0]!.length;
        expect(batch.values.shape).toEqual([Math.max(...batch.lengths), sequences.length, width]);
      }),
    );
  });

  test("and the mask is 1 where a row has a step", () => {
    const { mask } = padded([[], [4, 4], [4]]);
    expect([mask.dtype, mask.toArray()]).toEqual([
      "int32",
      [
        [0, 1, 1],
        [0, 1, 0],
      ],
    ]);
  });
});

test("typed arrays, other dtypes and backends", () => {
  const whole: RaggedSequence[] = [Uint8Array.of(1, 255), [7]];
  expect(padded(whole).values.toArray()).toEqual([
    [1, 7],
    [255, 0],
  ]);
  expect(padded([[[1], Float64Array.of(0.1)]], { dtype: "float64" }).values.toArray()).toEqual([
    [[1]],
    [[0.1]],
  ]);
  expect(padded([Float32Array.of(0.5)], { dtype: "float32" }).values.toArray()).toEqual([[0.5]]);
  expect(padded([[[3, 4]]], { dtype: "int32" }).values.dtype).toBe("int32");
  const backend = createBackend({ kernels: referenceKernels });
  const { values, mask } = padded([[1]], { backend });
  expect([values.backend, mask.backend]).toEqual([backend, backend]);
});

test("what cannot be right is refused, with its place", () => {
  const refuse = (sequences: unknown, options?: object) =>
    expect(() => padded(sequences as RaggedSequence[], options));
  refuse([]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: sequences must be an array of at least one sequence, got none]`,
  );
  refuse([[], []]).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: padded: no sequence has a step, so nothing says whether they hold numbers or vectors; leave such a batch out]`,
  );
  refuse("abc").toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: sequences must be an array of at least one sequence, got "abc"]`,
  );
  refuse(["abc"]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: sequence 0 must be an array of numbers or of vectors, got "abc"]`,
  );
  refuse([[1, 2], 3]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: sequence 1 must be an array of numbers or of vectors, got 3]`,
  );
  refuse([[1], [2, 0.5]]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: step 1 of sequence 1: expected whole numbers of 32 bits, got 0.5; dtype: "float32" takes any number]`,
  );
  refuse([[1, Number.NaN]]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: step 1 of sequence 0: expected whole numbers of 32 bits, got NaN; dtype: "float32" takes any number]`,
  );
  refuse([[2 ** 31]]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: step 0 of sequence 0: expected whole numbers of 32 bits, got 2147483648; dtype: "float32" takes any number]`,
  );
  refuse([[1], [[2]]]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: step 0 of sequence 1 must be a number as the first step is, got a vector of 1]`,
  );
  refuse([[[1, 2]], [[3]]]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: step 0 of sequence 1 must be a vector of 2 numbers as the first step is, got a vector of 1]`,
  );
  refuse([[[1, 2], 3]]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: step 1 of sequence 0 must be a vector of 2 numbers as the first step is, got 3]`,
  );
  refuse([[[]]]).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: padded: the width of a vector must be a whole number of at least 1, got 0]`,
  );
  refuse([[[1, "2"]]]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: step 0 of sequence 0: expected numbers, got "2"]`,
  );
  refuse([[undefined]]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: step 0 of sequence 0: expected whole numbers of 32 bits, got undefined; dtype: "float32" takes any number]`,
  );
  refuse([[1n]]).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: step 0 of sequence 0: expected whole numbers of 32 bits, got 1; dtype: "float32" takes any number]`,
  );
  refuse([[1]], { fill: 0.5 }).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: fill: expected whole numbers of 32 bits, got 0.5; dtype: "float32" takes any number]`,
  );
  refuse([[1]], { padding: -1 }).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: padded: there is no option "padding". It takes dtype, fill, backend]`,
  );
  refuse([[1]], { dtype: "float16" }).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: tensor: dtype must be "float32", "float64" or "int32", got "float16"]`,
  );
});
