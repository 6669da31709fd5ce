import { readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type Family,
  type FloatKernels,
  kernelNames,
  signatures,
} from "../../src/kernels/contract.ts";
import { Memory } from "../../src/kernels/memory.ts";
import { referenceKernels } from "../../src/kernels/reference/index.ts";
import { argumentsByName, signatureOf } from "../../src/kernels/signature.ts";
import { exportOf, takesScratch } from "../../src/kernels/simd/exports.ts";

const families = Object.keys(signatures) as Family[];
const kernels = families.flatMap((family) =>
  Object.entries<string>(signatures[family]).map(([name, text]) => [family, name, text] as const),
);

test("a text says which arguments a kernel takes, in their order, and what each is", () => {
  const text = "n x:in alpha:real rate:f64 y:inout";
  expect(signatureOf(text)).toEqual({
    text,
    names: ["n", "x", "alpha", "rate", "y"],
    kinds: ["int", "in", "real", "f64", "inout"],
    reads: [1, 4],
    writes: [4],
  });
  expect(argumentsByName(text, [1, 2, 3, 4, 5])).toEqual({ n: 1, x: 2, alpha: 3, rate: 4, y: 5 });
  expectTypeOf<Parameters<FloatKernels["gruOutput"]>>().toEqualTypeOf<
    [rows: number, hidden: number, gates: number, h: number, y: number]
  >();
});

/** Types of the parameters of each export, by the text form of the compiled module. */
function compiledTypes(): Map<string, string[]> {
  const wat = readFileSync(new URL("../../simd/build/plain.wat", import.meta.url), "utf8");
  const types = new Map(
    [...wat.matchAll(/^ \(func (\S+)((?: \(param \S+ \w+\))*)/gm)].map(([, name, params]) => [
      name,
      [...params!.matchAll(/(\w+)\)/g)].map(([, type]) => type!),
    ]),
  );
  const exports = wat.matchAll(/^ \(export "(\w+)" \(func (\S+)\)\)/gm);
  return new Map([...exports].map(([, name, target]) => [name!, types.get(target!)!]));
}

describe("the compiled kernels take what the table says", () => {
  const compiled = compiledTypes();
  test.each(kernels)("%s.%s", (family, name, text) => {
    const real = family === "float64" ? "f64" : "f32";
    const types = signatureOf(text).kinds.map((kind) =>
      kind === "real" ? real : kind === "f64" ? "f64" : "i32",
    );
    const [called, code] = exportOf(family, name);
    const trailing = code !== undefined || takesScratch(name) ? ["i32"] : [];
    expect(compiled.get(called)).toEqual([...types, ...trailing]);
  });
});

test("the reference kernels are those of the table", () => {
  const set = referenceKernels(new Memory());
  for (const family of families) {
    expect(Object.keys(set[family]).sort()).toEqual(kernelNames(family).sort());
  }
});
