import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scope, Tape, type Tensor, tensor } from "../../src/index.ts";

describe("stats", () => {
  test("segments are those between the marks in time, in whatever order they are given", () => {
    const lengths = fc.array(fc.nat(12), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(lengths, fc.nat(1000), (counts, seed) => {
        scope(() => {
          const tape = new Tape();
          let y: Tensor = tape.watch(tensor([1, 2, 3]));
          const marks = counts.map((count) => {
            for (let i = 0; i < count; i++) y = y.neg();
            return tape.mark();
          });
          y.neg();
          const shuffled = marks.map((mark, i) => ({ mark, key: ((i + 1) * (seed + 7)) % 11 }));
          shuffled.sort((a, b) => a.key - b.key);
          const { segments, entries } = tape.stats(shuffled.map(({ mark }) => mark));
          expect(segments.map((segment) => segment.entries)).toEqual([...counts, 1]);
          expect(entries).toBe(counts.reduce((sum, n) => sum + n, 1));
        });
      }),
    );
  });

  test("ops come with the most frequent first", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(tensor([1, 2]));
      x.sin();
      for (let i = 0; i < 3; i++) x.exp();
      for (let i = 0; i < 2; i++) x.neg();
      expect(Object.entries(tape.stats().ops)).toEqual([
        ["exp", 3],
        ["neg", 2],
        ["sin", 1],
      ]);
    });
  });

  test("bytes are counted where they are met first", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(tensor(new Float64Array(10)));
      const y = x.exp();
      const cut = tape.mark();
      // Both operands are there already, and a reshape has no bytes of its own.
      y.add(x).reshape([5, 2]);
      const { bytes, segments } = tape.stats([cut]);
      expect(segments.map((segment) => segment.bytes)).toEqual([160, 80]);
      expect(bytes).toBe(240);
    });
  });
});

test("print numbers entries since the tape began, and names what each is of", () => {
  scope(() => {
    const tape = new Tape();
    const [x, w] = tape.watch([tensor([1, 2]), tensor([[3]], { dtype: "float64" })] as const);
    const y = x.mul(tensor([5, 6]));
    w.exp();
    expect(tape.print()).toBe("%0 = mul($0, _) float32 [2]\n%1 = exp($1) float64 [1,1]");
    tape.forget(tape.mark(y));
    expect(tape.print()).toBe("");
    y.add(x).neg();
    expect(tape.print()).toBe("%2 = add(%0, $0) float32 [2]\n%3 = neg(%2) float32 [2]");
  });
});
