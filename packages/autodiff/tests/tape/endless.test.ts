import { expect, test } from "vitest";
import { scope, Tape, type Tensor, tensor } from "../../src/index.ts";

test("a tape of a million entries is swept", () => {
  scope(() => {
    const tape = new Tape();
    const x = tape.watch(tensor(1, { dtype: "float64" }));
    let y: Tensor = x;
    for (let i = 0; i < 1_000_000; i++) y = y.add(1e-6);
    expect(tape.stats().entries).toBe(1_000_000);
    expect(tape.gradient(y, x).item()).toBe(1);
  });
});
