import { isDeepStrictEqual } from "node:util";
import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { selfCommunicator } from "../../src/index.ts";
import { runWorkers } from "../../src/node.ts";
import { SharedCommunicator, sharedBuffer } from "../../src/parallel.ts";
import { bitsOf, failure, type Given, type Sum, treeOf } from "./tasks.ts";

const tasks = new URL("./tasks.ts", import.meta.url);
const run = (workers: number, input: Given) => runWorkers(tasks, { workers, input });

/** ((r0 + r1) + r2) + ..., rounded to the dtype each time, by plain loops. */
function sumInOrder(workers: number, given: Sum): unknown {
  const trees = Array.from({ length: workers }, (_, rank) => treeOf(rank, given));
  const [first, ...others] = trees as [ReturnType<typeof treeOf>, ...ReturnType<typeof treeOf>[]];
  let { loss } = first.nested;
  const parts = first.parts.map((x) => x.toTypedArray());
  for (const { nested, parts: more } of others) {
    loss += nested.loss;
    for (const [i, part] of parts.entries()) {
      const addend = more[i]!.toTypedArray();
      for (let j = 0; j < part.length; j++) part[j]! += addend[j]!;
    }
  }
  const shaped = parts.map((data, i) => ({
    shape: [...first.parts[i]!.shape],
    dtype: first.parts[i]!.dtype,
    data,
  }));
  return { parts: shaped, nested: { ...first.nested, loss } };
}

const shape = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 3 });
const settings = fc.record({
  seed: fc.nat(10_000),
  dtype: fc.constantFrom("float32" as const, "float64" as const, "int32" as const),
  lengths: fc.array(shape, { maxLength: 5 }),
  slotBytes: fc.constantFrom(8, 24, 64, 1024, 2 ** 20),
});

describe("allReduce", () => {
  test.each([1, 2, 3, 4])(
    "of %d workers is the sum in the order of ranks, bit for bit, on every one",
    async (workers) => {
      const cases = fc.array(settings, { minLength: 20, maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(cases, async (list) => {
          const sums = list.map(({ slotBytes, ...rest }) => {
            return { ...rest, buffer: sharedBuffer(workers, { slotBytes }) };
          });
          const expected = sums.map((sum) => sumInOrder(workers, sum));
          for (const found of await run(workers, { task: "sums", sums })) {
            expect(found).toEqual(expected);
          }
        }),
        // Every try starts threads, so what fails is not made smaller.
        { numRuns: 3, endOnFailure: true },
      );
    },
  );

  test("of a tree larger than the slots that it goes through", async () => {
    const lengths = [[700, 1000], [3], [0, 2], [500_001]];
    const sum: Sum = { seed: 1, dtype: "float32", lengths, buffer: undefined };
    const expected = sumInOrder(3, sum);
    // Not by toEqual, which would print millions of numbers.
    for (const [found] of (await run(3, { task: "sums", sums: [sum] })) as unknown[][]) {
      expect(isDeepStrictEqual(found, expected)).toBe(true);
    }
  });

  test("thousands of times, with late comers, and never waits for ever", async () => {
    expect(await run(3, { task: "often", times: 1500 })).toEqual([4500, 4500, 4500]);
  });
});

test("broadcast gives what the root holds, whoever that is", async () => {
  const given: Given = { task: "broadcast", lengths: [[2, 3], []], dtype: "float64" };
  const roots = [0, 1, 2].map((root) => bitsOf(treeOf(root, given)));
  expect(await run(3, given)).toEqual([roots, roots, roots]);
});

describe("workers that disagree all throw a sentence", () => {
  test.each([
    ["shapes"],
    ["dtypes"],
    ["structure"],
    ["keys"],
    ["calls"],
    ["roots"],
    ["late"],
  ] as const)("about %s", async (task) => {
    // Each names what it called itself; what it says then is the same.
    const found = (await run(2, { task })) as string[];
    const [first, second] = found.map((message) => message.slice(message.indexOf(":")));
    expect(second).toBe(first);
    expect(found[0]).toMatchSnapshot();
  });

  test("and can go on together", async () => {
    expect(await run(2, { task: "goes on" })).toEqual([
      ["allReduce", 1, 1],
      ["allReduce", 1, 1],
    ]);
  });
});

describe("a communicator", () => {
  const ends = [selfCommunicator, new SharedCommunicator(sharedBuffer(1), 0)] as const;

  test.each(ends)("of one worker gives back every bit", (communicator) => {
    const odd = [0, -0, Number.NaN, Infinity, 5e-324, -1 / 3, 2 ** -149];
    for (const dtype of ["float32", "float64"] as const) {
      const x = tensor(odd, { dtype });
      const bytes = (y: Tensor) => new Uint8Array(y.toTypedArray().buffer);
      expect(bytes(communicator.allReduce({ x }).x)).toEqual(bytes(x));
      expect(bytes(communicator.broadcast([x])[0]!)).toEqual(bytes(x));
    }
    expect(communicator.allReduce(-0)).toBe(-0);
    communicator.barrier();
  });

  test.each(ends)(
    "of one worker gives new tensors, whatever becomes of the old",
    (communicator) => {
      const x = tensor([1, 2]);
      const sum = communicator.allReduce({ x });
      expect(sum.x).not.toBe(x);
      expect(tree.map(sum, (y: Tensor) => y.toArray())).toEqual({ x: [1, 2] });
    },
  );

  test.each(ends)("refuses what it cannot send", (communicator) => {
    expect(failure(() => communicator.allReduce({ when: new Date(0) }))).toMatchInlineSnapshot(
      `"allReduce: expected tensors and numbers in plain objects and arrays, got an instance of Date at "when""`,
    );
    expect(failure(() => communicator.broadcast(new Map()))).toMatchInlineSnapshot(
      `"broadcast: expected tensors and numbers in plain objects and arrays, got an instance of Map at its root"`,
    );
    expect(failure(() => communicator.broadcast({}, 1))).toMatchInlineSnapshot(
      `"broadcast: root must be the rank of a worker, a whole number from 0 to 0, got 1"`,
    );
  });

  test("cannot be made for a worker that is none, nor over too little memory", () => {
    expect(failure(() => new SharedCommunicator(sharedBuffer(2), 2))).toMatchInlineSnapshot(
      `"SharedCommunicator: rank must be a whole number from 0 to 1, got 2"`,
    );
    expect(failure(() => sharedBuffer(0))).toMatchInlineSnapshot(
      `"sharedBuffer: size must be a whole number of workers of at least 1, got 0"`,
    );
    expect(failure(() => sharedBuffer(2, { slotBytes: 12 }))).toMatchInlineSnapshot(
      `"sharedBuffer: slotBytes must be a multiple of 8 of at least 8, got 12"`,
    );
  });
});
