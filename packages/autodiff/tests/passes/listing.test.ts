import { expect, test } from "vitest";
import { entriesOf, originOf } from "../../src/extend.ts";
import { named, scope, Tape, tensor, timeStep } from "../../src/index.ts";

test("a listing says what print says", () => {
  const tape = new Tape();
  const { w, b } = tape.watch({
    w: tensor([
      [1, 2],
      [3, 4],
    ]),
    b: tensor([1, 2]),
  });
  let h = tensor([[0.5, 1]]);
  const mark = tape.mark();
  for (let t = 1; t <= 3; t++)
    h = timeStep(t, () => named("cell", () => h.matmul(w).add(b).tanh()));
  // %i for an entry, $i for a leaf, _ for a constant: the notation of print.
  const slots = ["w", "b"];
  const name = (input: ReturnType<typeof originOf>) =>
    input === null
      ? "_"
      : typeof input === "number"
        ? `%${input}`
        : `$${slots.indexOf(input.leaf)}`;
  const lines = entriesOf(tape).map(
    ({ position, op, inputs, dtype, shape }) =>
      `%${position} = ${op}(${inputs.map(name).join(", ")}) ${dtype} [${shape}]`,
  );
  expect(lines.join("\n")).toBe(tape.print());
  expect(entriesOf(tape).map(({ t }) => t)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  expect(new Set(entriesOf(tape).map(({ place }) => place))).toEqual(new Set(["cell"]));
  expect(originOf(tape, h)).toBe(8);
  tape.forget(mark);
  expect(entriesOf(tape)).toHaveLength(9);
  tape.forget(tape.mark(h));
  expect(entriesOf(tape)).toEqual([]);
});

test("what a tape does not know has no origin", () => {
  const tape = new Tape();
  const w = tape.watch(tensor(2));
  expect(originOf(tape, w)).toEqual({ leaf: "" });
  const other = new Tape().watch(tensor(1));
  expect(originOf(tape, other)).toBe(null);
  // An outer tape's value inside of an inner tape's.
  expect(originOf(tape, new Tape().watch(w.square()))).toBe(0);
});

test("what is no tape is refused in a sentence", () => {
  expect(() => entriesOf(undefined as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: entriesOf: tape must be a Tape, got undefined; pass the one that watched the inputs]`,
  );
  expect(() => entriesOf([] as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: entriesOf: tape must be a Tape, got an array; pass the one that watched the inputs]`,
  );
  expect(() => originOf("tape" as never, tensor(1))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: originOf: tape must be a Tape, got a string; pass the one that watched the inputs]`,
  );
  expect(() => originOf(new Tape(), 3 as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: originOf: expected a tensor, got 3]`,
  );
  let ended: Tape | undefined;
  scope(() => {
    ended = new Tape();
  });
  expect(() => entriesOf(ended!)).toThrow(/^entriesOf: the tape has ended: /);
  expect(entriesOf(new Tape())).toEqual([]);
});
