import type { Tensor } from "@chronograd/autodiff";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cells, cuts, type RandomCell, streams } from "../../src/testing/fast-check.ts";
import { checkTruncated, testCell } from "../../src/testing.ts";
import { composedCells } from "./composed.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);

describe("random cells", () => {
  test("hold all laws", () => {
    fc.assert(
      fc.property(
        fc.oneof(cells({ kinks: true, maxSize: 2 }), composedCells(2)),
        fc.nat(9999),
        ({ name, cell, input }, seed) => {
          testCell(cell, { name, input, seed, runs: 1 }).assert();
        },
      ),
      { numRuns: 15, seed },
    );
  });

  test("are right when they are truncated", () => {
    const cases = fc.oneof(cells({ maxSize: 2 }), composedCells(2)).chain((random) =>
      fc.record({
        random: fc.constant(random),
        stream: streams({ input: random.input, target: random.output, maxLength: 5, maxBatch: 2 }),
      }),
    );
    fc.assert(
      fc.property(cases, cuts({ max: 3 }), ({ random, stream }, cut) => {
        const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
        checkTruncated(random.cell, stream.steps, { ...cut, loss, losses: "new", throws: true });
      }),
      { numRuns: 8, seed },
    );
  });

  test("shrink to a small Elman cell, and print how they are made", () => {
    const smallest = (predicate: (random: RandomCell) => boolean) => {
      const { counterexample } = fc.check(fc.property(cells(), predicate), {
        seed: 7,
        numRuns: 500,
      });
      return fc.stringify(counterexample![0]);
    };
    expect(smallest(() => false)).toBe("elman({ input: 1, hidden: 1 })");
    expect(smallest(({ name }) => !name.startsWith("lstm("))).toBe("lstm({ input: 1, hidden: 1 })");
    expect(smallest(({ name }) => !name.includes("sequential"))).toMatchInlineSnapshot(
      `"sequential({ first: elman({ input: 1, hidden: 1 }), second: elman({ input: 1, hidden: 1 }), head: linear({ input: 1, output: 1 }) })"`,
    );
  });
});

describe("random generators", () => {
  test("have the sizes they say", () => {
    fc.assert(
      fc.property(streams({ input: 2, target: 3 }), ({ length, batch, inputs, targets, steps }) => {
        expect(inputs.shape).toEqual([length, batch, 2]);
        expect(targets.shape).toEqual([length, batch, 3]);
        expect(steps[length - 1]!.target.toArray()).toEqual(targets.slice([-1]).toArray());
        for (const x of inputs.toTypedArray()) expect(Number.isInteger(64 * x)).toBe(true);
      }),
    );
  });

  test("shrink to one step of one row of zeros", () => {
    const smallest = (predicate: (inputs: Tensor) => boolean) => {
      const property = fc.property(streams(), ({ inputs }) => predicate(inputs));
      return fc.stringify(fc.check(property, { seed: 3, numRuns: 500 }).counterexample![0]);
    };
    expect(smallest(() => false)).toBe("{ inputs: [[[0]]], targets: [[[0]]] }");
    expect(smallest((inputs) => inputs.shape[0]! < 3)).toMatchInlineSnapshot(
      `"{ inputs: [[[0]],[[0]],[[0]]], targets: [[[0]],[[0]],[[0]]] }"`,
    );
    expect(smallest((inputs) => inputs.toTypedArray().every((x) => x < 1))).toMatchInlineSnapshot(
      `"{ inputs: [[[1]],[[0]]], targets: [[[0]],[[0]]] }"`,
    );
  });
});

test("cuts have k1 <= k2, and shrink to 1 and 1", () => {
  fc.assert(fc.property(cuts(), ({ k1, k2 }) => 1 <= k1 && k1 <= k2));
  const { counterexample } = fc.check(
    fc.property(cuts(), () => false),
    { seed: 1 },
  );
  expect(counterexample).toEqual([{ k1: 1, k2: 1 }]);
});
