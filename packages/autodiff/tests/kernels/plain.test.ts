import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createBackend } from "../../src/index.ts";
import type { FloatKernels, Kernels } from "../../src/kernels/contract.ts";
import { scaledNames, unaryNames } from "../../src/kernels/elementwise.ts";
import type { Memory } from "../../src/kernels/memory.ts";
import { kernelsOn, simdKernels } from "../../src/kernels/simd/index.ts";
import { instantiate } from "../../src/kernels/simd/instantiate.ts";
import { module } from "../../src/kernels/simd/module.ts";
import { plainModule } from "../../src/kernels/simd/plain.ts";
import { decode } from "../../src/kernels/simd/text.ts";
import { opTable } from "../../src/ops/table.ts";
import { drawInputs } from "../../src/testing/samples.ts";
import { scaled, unary } from "./apply.ts";
import { Arena, spread } from "./arena.ts";

const bytes = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../simd/build/${name}.wasm`, import.meta.url)));

/** How often the bytes of a `relaxed_madd` stand in a module. */
const madds = (module: Uint8Array): number =>
  module.filter(
    (byte, i) =>
      byte === 0xfd && (module[i + 1] === 0x85 || module[i + 1] === 0x87) && module[i + 2] === 2,
  ).length;

/**
 * The kernels as AssemblyScript compiles them without relaxed SIMD: the rewritten ones must have
 * their bits.
 */
const compiled = (memory: Memory): Kernels =>
  kernelsOn(instantiate(bytes("plain"), memory), memory, "compiled", bytes("plain"));
const rewritten = (memory: Memory): Kernels => simdKernels(memory, "plain");

const dtypes = ["float32", "float64"] as const;
const arenas = [new Arena(compiled), new Arena(rewritten)] as const;
const wide = spread(64).map((x, i) => x * 2 ** (i - 32));
const values = [...wide, 0, -0, 1, -1, 709.5, -87.5, 3e-310, 1e-42, Infinity, -Infinity, NaN];

test("the text decodes to the compiled module", () => {
  expect(Buffer.compare(decode(module), bytes("relaxed"))).toBe(0);
});

test("the rewritten module needs no relaxed SIMD, and has the same exports", () => {
  const plain = plainModule(bytes("relaxed"));
  expect(madds(bytes("relaxed"))).toBeGreaterThan(500);
  expect(madds(plain)).toBe(0);
  expect(WebAssembly.validate(plain)).toBe(true);
  expect(WebAssembly.Module.exports(new WebAssembly.Module(plain))).toEqual(
    WebAssembly.Module.exports(new WebAssembly.Module(bytes("plain"))),
  );
});

describe.each(dtypes)("rewritten %s kernels have the bits of the compiled ones", (dtype) => {
  test.each(unaryNames)("%s", (name) => {
    const [expected, found] = arenas.map((arena) => unary(arena, dtype, name, values));
    expect(found).toEqual(expected);
  });

  test.each(scaledNames)("%s", (name) => {
    const [expected, found] = arenas.map((arena) => scaled(arena, dtype, name, values, 0.3));
    expect(found).toEqual(expected);
  });

  test.each([
    [1, 37, 300],
    [5, 9, 17],
    [40, 70, 300],
    [6, 16, 32],
  ])("a product %i x %i x %i", (m, n, k) => {
    const [expected, found] = arenas.map((arena) => {
      const [a, b] = [arena.put(dtype, spread(m * k)), arena.put(dtype, spread(k * n, 1))];
      const c = arena.put(dtype, spread(m * n, 2));
      const kernels: FloatKernels = arena.kernels[dtype];
      kernels.matmul(m, n, k, a, k, 0, b, n, 0, c, n, 1);
      const result = arena.get(dtype, c, m * n);
      arena.clear();
      return result;
    });
    expect(found).toEqual(expected);
  });

  test.each(opTable().map(({ name, declaration }) => [name, declaration] as const))(
    "op %s on its samples",
    (_, declaration) => {
      const backends = [compiled, rewritten].map((kernels) => createBackend({ kernels }));
      for (const sample of declaration.samples) {
        const [expected, found] = backends.map((backend) =>
          sample.call(drawInputs(sample, declaration, 1, { dtype, backend })).toTypedArray(),
        );
        expect(found).toEqual(expected);
      }
    },
  );
});
