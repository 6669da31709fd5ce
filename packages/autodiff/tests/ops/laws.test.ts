import { describe, expect, test } from "vitest";
import { findBlas } from "#blas";
import { createBackend } from "../../src/index.ts";
import { opTable } from "../../src/ops/table.ts";
import { referenceKernels } from "../../src/reference.ts";
import { hold, opLaws } from "../../src/testing.ts";

/** Another seed tries other numbers; a failure says which to replay. */
const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);
const rows = opTable();
const reference = createBackend({ kernels: referenceKernels });

test("the table has every op that the package promises", () => {
  const promised =
    "neg abs sign exp expm1 log log1p sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh asinh acosh atanh tanh sigmoid softplus logSigmoid relu leakyRelu elu gelu silu erf floor ceil round add sub mul div pow maximum minimum atan2 hypot less lessEqual greater greaterEqual equal notEqual where clip sum mean prod max min logSumExp variance norm cumsum argmax argmin matmul dot outer einsum reshape transpose slice concat stack split pad flip tile broadcastTo squeeze expandDims gather scatterAdd oneHot softmax logSoftmax crossEntropy log2 log10 mod std cumprod logicalAnd logicalOr logicalXor logicalNot isNaN isFinite all any sort argsort topk takeAlongAxis repeat roll diag lstmGates lstmCellState lstmOutput gruGates gruOutput layerNormalize linearRecurrence conv1d conv2d unfold fold maxPool1d maxPool2d averagePool1d averagePool2d";
  const names = new Set(rows.map(({ name }) => name));
  expect(promised.split(" ").filter((name) => !names.has(name))).toEqual([]);
});

const hasBlas = typeof findBlas() !== "string";

for (const kernels of [
  "simd-relaxed",
  "simd-plain",
  "reference",
  ...(hasBlas ? (["blas"] as const) : []),
] as const) {
  const backend = kernels === "reference" ? reference : createBackend({ kernels });
  describe.each(["float64", "float32"] as const)(`${kernels} kernels, %s`, (dtype) => {
    test.each(rows)("$name", ({ declaration }) => {
      for (const law of opLaws(declaration, { backend, reference, dtype })) {
        const result = hold(law, { seed, runs: 2 });
        expect(
          result?.ok === false ? `${law.name}: ${result.what} (seed ${result.seed})` : "",
        ).toBe("");
      }
    });
  });
}
