import { describe, expect, test } from "vitest";
import { createBackend } from "../../src/index.ts";
import type { KernelMaker, Kernels } from "../../src/kernels/contract.ts";
import { simdKernels } from "../../src/kernels/simd/index.ts";
import { referenceKernels } from "../../src/reference.ts";
import { testKernels } from "../../src/testing.ts";

const reference = { reference: referenceKernels, runs: 1 };

/** The names of the laws that a set breaks. */
function brokenBy(change: (kernels: Kernels) => Partial<Kernels>): string[] {
  const kernels: KernelMaker = (memory) => {
    const set = simdKernels(memory);
    return { ...set, ...change(set), name: "changed" };
  };
  const { laws } = testKernels(kernels, reference);
  return laws.filter(({ ok }) => !ok).map(({ name }) => name);
}

test("a set that lacks a kernel is refused, with its name", () => {
  const make = (change: (set: Kernels) => unknown) => () =>
    createBackend({ kernels: (memory) => change(simdKernels(memory)) as Kernels });
  const without = make(({ float64: { tanh: _, ...float64 }, ...set }) => ({ ...set, float64 }));
  expect(without).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: createBackend: kernels must return a set with every kernel, and float64.tanh is missing; take what a set of your own lacks from simdKernels(memory) of @chronograd/autodiff/extend]`,
  );
  expect(make(({ firstOutOfRange: _, ...set }) => set)).toThrow("firstOutOfRange is missing");
  expect(make(({ name }) => ({ name }))).toThrow("float32.neg is missing");
  expect(make(() => undefined)).toThrow("createBackend: kernels must return a set");
});

test("a set over another memory than it was given is refused", () => {
  const other = createBackend().memory;
  expect(() =>
    createBackend({ kernels: () => simdKernels(other) }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: createBackend: kernels must return a set over the memory that it is given, and this one writes elsewhere; make the set anew from the argument, as in (memory) => simdKernels(memory)]`,
  );
  let made: Kernels | undefined;
  const once: KernelMaker = (memory) => {
    made ??= simdKernels(memory);
    return made;
  };
  createBackend({ kernels: once });
  expect(() => createBackend({ kernels: once })).toThrow("this one writes elsewhere");
});

describe("testKernels", () => {
  test("finds nothing wrong in a set that is right", () => {
    const report = testKernels(simdKernels, reference);
    expect(report.toString()).toContain("laws hold");
    expect(report.laws.length).toBeGreaterThan(300);
  });

  test("names op, dtype and law that wrong kernels break; positions and whole numbers must be equal", () => {
    const broken = brokenBy(({ float32, float64, int32 }) => ({
      float64: { ...float64, tanh: (n, x, y) => float64.sigmoid(n, x, y) },
      float32: { ...float32, argmax: float32.argmin },
      int32: { ...int32, sum: int32.max },
    }));
    expect(broken).toContain("float64.tanh");
    expect(broken).toContain("tanh float64 reference");
    const others = broken.filter((name) => !name.includes("float64"));
    expect(others).toEqual(["float32.argmax", "int32.sum", "argmax float32 values"]);
  });

  test("finds an address taken for a signed integer", () => {
    const set: KernelMaker = (memory) => ({
      ...referenceKernels(memory),
      float64: {
        ...referenceKernels(memory).float64,
        relu(n, x, y) {
          const { float64 } = memory.views;
          for (let i = 0; i < n; i++) float64[(y >> 3) + i] = Math.max(float64[(x >> 3) + i]!, 0);
        },
      },
    });
    const { laws } = testKernels(set, reference);
    expect(laws.filter(({ ok }) => !ok).map(({ name }) => name)).toContain("float64.relu");
  });

  test("refuses what is no kernel set, in a sentence", () => {
    const call = (kernels: unknown, options: unknown) => () =>
      testKernels(kernels as KernelMaker, options as typeof reference);
    expect(call("simd", reference)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: testKernels: expected a function from a memory to a kernel set, and one as the option reference, got string and function; referenceKernels stands in @chronograd/autodiff/reference]`,
    );
    expect(call(simdKernels, { runs: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: testKernels: expected a function from a memory to a kernel set, and one as the option reference, got function and undefined; referenceKernels stands in @chronograd/autodiff/reference]`,
    );
    expect(
      call(simdKernels, { ...reference, dtype: "float64" }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: testKernels: there is no option "dtype". It takes reference, seed, runs]`,
    );
    expect(call(simdKernels, { ...reference, runs: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: testKernels: runs must be a whole number of at least 1, got -1]`,
    );
  });
});
