import { expectTypeOf } from "expect-type";
import { describe, expect, test } from "vitest";
import { Tensor, tanh } from "../../src/index.ts";
import { type OpDeclaration, op } from "../../src/ops/declare.ts";
import * as internal from "../../src/ops/internal.ts";
import * as families from "../../src/ops/public.ts";
import { opTable } from "../../src/ops/table.ts";

const rows = opTable();
const functionsOnly = rows.filter(({ declaration }) => "method" in declaration);
const methods = Object.getOwnPropertyNames(Tensor.prototype);

describe("the op table", () => {
  test("has each op once, by its own name", () => {
    // `mul` and `add` of a number are ops without a public name.
    const shown: Record<string, string> = { scale: "mul", offset: "add" };
    expect(rows.map(({ declaration }) => declaration.name)).toEqual(
      rows.map(({ name }) => shown[name] ?? name),
    );
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  test("what a family exports is an op, or a function that tensors have as a method of their own", () => {
    const own = Object.keys(families).filter((name) => !rows.some((row) => row.name === name));
    expect(own).toEqual(["detach"]);
    expect(methods).toContain("detach");
  });

  test("an op is a method, unless its declaration says that it is none or it has no public name", () => {
    for (const { name, declaration } of rows) {
      const isNone = "method" in declaration || name in internal;
      expect([name, methods.includes(name)]).toEqual([name, !isNone]);
    }
    expect(functionsOnly.map(({ name }) => name)).toContain("concat");
  });

  test("the types say the same", () => {
    type Name = keyof Tensor;
    expectTypeOf<"tanh" | "split" | "detach" | "gather">().toExtend<Name>();
    expectTypeOf<
      Extract<Name, "concat" | "stack" | "einsum" | "lstmGates" | "gruOutput" | "unslice">
    >().toEqualTypeOf<never>();
    expectTypeOf<Tensor["tanh"]>().toEqualTypeOf<() => Tensor>();
    expectTypeOf<ReturnType<typeof splitInTwo>>().toEqualTypeOf<[Tensor, Tensor]>();
  });
});

function splitInTwo(x: Tensor) {
  return x.split(2);
}

test("an op without residuals is refused where it is declared", () => {
  const { residuals: _, ...rest } = tanh.declaration as OpDeclaration;
  expect(() => op(rest as OpDeclaration, (x: Tensor) => x)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: op: tanh must declare residuals, the inputs and output that its rules read, such as { inputs: [0], output: false }; none may be { inputs: [], output: false }]`,
  );
});
