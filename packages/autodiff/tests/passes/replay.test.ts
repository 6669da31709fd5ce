import fc from "fast-check";
import { expect, test } from "vitest";
import { scope } from "../../src/index.ts";
import { replay } from "../../src/passes/replay.ts";
import { innermostPrimal } from "../../src/tensor/tensor.ts";
import { directions, evaluate, matrix, numbers, programs, record } from "./programs.ts";

test("a program that is run again with other values gives what it would have given", () => {
  const others = fc.array(fc.tuple(fc.nat(14), directions), { maxLength: 3 });
  fc.assert(
    fc.property(programs, others, fc.nat(11), (program, changes, cut) => {
      scope(() => {
        const { tape, values, marks } = record(program);
        const since = cut % marks.length;
        const before = program.leaves.length + since;
        tape.forget(marks[since]!);
        // Leaves, and what was not forgotten.
        const given = changes.map(([i, value]) => {
          const at = i % values.length;
          return [at < before ? at % program.leaves.length : at, value] as const;
        });
        const forgotten = evaluate(program)
          .map((value, i) => [i, value] as const)
          .filter(([i]) => i >= program.leaves.length && i < before);
        const expected = evaluate(program, new Map([...forgotten, ...given]));
        const changed = new Map(given.map(([i, value]) => [values[i]!.id, matrix(value)]));
        const found = replay(tape, changed, values);
        for (const [i, y] of found.entries()) {
          for (const [k, x] of numbers(y).entries()) expect(x).toBeCloseTo(expected[i]![k]!, 9);
        }
        // Where nothing changed, nothing is computed.
        const same = replay(tape, new Map(), values);
        expect(same).toEqual(values.map(innermostPrimal));
      });
    }),
    { numRuns: 200 },
  );
});

test("entries before the one to start from keep what they recorded", () => {
  scope(() => {
    const { tape, values } = record({
      leaves: [[1, 2, 3, 4]],
      steps: [
        { op: "half", a: 0, b: 0 },
        { op: "half", a: 1, b: 0 },
        { op: "add", a: 2, b: 0 },
      ],
    });
    const changed = new Map([[values[0]!.id, matrix([8, 8, 8, 8])]]);
    const [late] = replay(tape, changed, [values[3]!], 2);
    // The quarter is that of the old leaf, the sum is with the new one.
    expect(numbers(late!)).toEqual([8.25, 8.5, 8.75, 9]);
    const [early] = replay(tape, changed, [values[3]!], -5);
    expect(numbers(early!)).toEqual([10, 10, 10, 10]);
  });
});
