import { createBackend, type Tensor, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { expect, expectTypeOf, test } from "vitest";
import {
  dropout,
  embedding,
  type Initializer,
  init,
  initialize,
  layerNorm,
  linear,
  rng,
} from "../src/index.ts";
import { runWorkers, writeFileAtomic, writeSafetensors } from "../src/node.ts";
import { sharedBuffer } from "../src/parallel.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  restoreTree,
  tensorsOf,
} from "../src/safetensors.ts";

const backend = createBackend({ kernels: referenceKernels });
const file = decodeSafetensors(encodeSafetensors({ x: tensor([1], { backend }) }));

test.each<[string, () => unknown]>([
  ["linear", () => linear({ input: 3, outputs: 2 } as never)],
  ["linear without sizes", () => linear(undefined as never)],
  ["linear without outputs", () => linear({ inputs: 3 } as never)],
  ["embedding", () => embedding({ count: 3, dim: 2 } as never)],
  ["embedding without sizes", () => embedding({} as never)],
  ["dropout", () => dropout({ p: 0.5 } as never)],
  ["dropout without a rate", () => dropout({} as never)],
  ["dropout of a number", () => dropout(0.5 as never)],
  ["layerNorm", () => layerNorm({ size: 3, eps: 1e-5 } as never)],
  ["layerNorm without a size", () => layerNorm(undefined as never)],
  ["initialize", () => initialize(init.zeros(1), rng(1), { dType: "float64" } as never)],
  ["zeros of another dtype", () => init.zeros(3, { dtype: "float64" } as never)],
  ["zeros of another option", () => init.zeros(3, { type: "int32" } as never)],
  ["ones without a dtype", () => init.ones(3, {} as never)],
  ["a size that is missing", () => init.zeros(3, undefined as never)],
  ["options of a weight", () => init.glorot(3, 4, { gain: 2 } as never)],
  ["a whole number that is none", () => init.constant(0.5, 3, { dtype: "int32" })],
  ["a whole number that is too large", () => init.constant(2 ** 31, 3, { dtype: "int32" })],
  ["restoreTree", () => restoreTree({}, file, { prefixes: "" } as never)],
  ["tensorsOf", () => tensorsOf(file, { start: "" } as never)],
  ["sharedBuffer", () => sharedBuffer(2, { bytes: 8 } as never)],
])("%s", (_what, act) => {
  expect(act).toThrowErrorMatchingSnapshot();
});

test("files and workers refuse unknown options, too", async () => {
  await expect(
    writeFileAtomic("never", "text", { overwrit: true } as never),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[TypeError: writeFileAtomic: there is no option "overwrit", did you mean "overwrite"? It takes overwrite]`,
  );
  await expect(writeSafetensors("never", {}, {}, { force: true } as never)).rejects.toThrow(
    /there is no option "force"/,
  );
  await expect(
    runWorkers("/never.mjs", { threads: 2 } as never),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[TypeError: runWorkers: there is no option "threads". It takes workers, input]`,
  );
});

test("int32 initialisers keep their dtype in a tree of floats", () => {
  const make = (dtype: "float32" | "float64") =>
    initialize(
      {
        w: init.glorot(2, 2),
        last: init.zeros({ dtype: "int32" }),
        seen: init.constant(-3, 2, { dtype: "int32" }),
        one: init.ones(1, 2, { dtype: "int32" }),
      },
      rng(1),
      { dtype, backend },
    );
  for (const dtype of ["float32", "float64"] as const) {
    const { w, last, seen, one } = make(dtype);
    expect([w, last, seen, one].map((x) => x.dtype)).toEqual([dtype, "int32", "int32", "int32"]);
    expect([last.toArray(), seen.toArray(), one.toArray()]).toEqual([0, [-3, -3], [[1, 1]]]);
  }
  expectTypeOf(make("float32").last).toEqualTypeOf<Tensor>();
  expectTypeOf(init.zeros(3, { dtype: "int32" })).toEqualTypeOf<Initializer>();
});
