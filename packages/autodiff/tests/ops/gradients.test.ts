import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBackend, jvp, scope, type Tensor, tensor, vjp } from "../../src/index.ts";
import { isNone, type OpDeclaration } from "../../src/ops/declare.ts";
import { opTable } from "../../src/ops/table.ts";
import { checkGradients } from "../../src/testing.ts";
import { drawInputs, uniforms } from "./samples.ts";

const rows = opTable();
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const backend = createBackend();

function isDifferentiable(row: (typeof rows)[number]): boolean {
  return "composite" in row.declaration || !isNone((row.declaration as OpDeclaration).vjp);
}

/** Random numbers beside a tensor. */
function like(x: Tensor, seed: number): Tensor {
  const random = uniforms(seed);
  const data = Float64Array.from({ length: x.size }, () => 2 * random() - 1);
  const dtype = x.dtype === "int32" ? "int32" : x.dtype;
  return tensor(dtype === "int32" ? x.toTypedArray() : data, { shape: x.shape, dtype, backend });
}

function inner(a: Tensor, b: Tensor): number {
  const [x, y] = [Float64Array.from(a.toTypedArray()), b.toTypedArray()];
  return x.reduce((sum, value, i) => sum + value * y[i]!, 0);
}

test("the table has every op that the package promises", () => {
  const promised =
    "neg abs sign exp expm1 log log1p sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh asinh acosh atanh tanh sigmoid softplus logSigmoid relu leakyRelu elu gelu silu erf floor ceil round add sub mul div pow maximum minimum atan2 hypot less lessEqual greater greaterEqual equal notEqual where clip sum mean prod max min logSumExp variance norm cumsum argmax argmin matmul dot outer einsum reshape transpose slice concat stack split pad flip tile broadcastTo squeeze expandDims gather scatterAdd oneHot softmax logSoftmax crossEntropy";
  const names = new Set(rows.map(({ name }) => name));
  expect(promised.split(" ").filter((name) => !names.has(name))).toEqual([]);
});

describe.each(rows.filter(isDifferentiable))("$name", ({ declaration }) => {
  for (const sample of declaration.samples) {
    test(`${sample.label}: the gradient is that of central differences`, () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          scope(() => {
            const inputs = drawInputs(sample, declaration, seed, { backend });
            const report = checkGradients((xs) => sample.call(xs as Tensor[]), inputs);
            expect(report).toMatchObject({ mismatches: [], undecided: [] });
          });
        }),
        { numRuns: 5 },
      );
    });

    test(`${sample.label}: <u, J v> = <J' u, v>`, () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          scope(() => {
            const inputs = drawInputs(sample, declaration, seed, { backend });
            const v = inputs.map((x, i) => like(x, seed + i + 1));
            const f = (xs: Tensor[]) => sample.call(xs);
            const [y, jv] = jvp(f, inputs, v);
            const u = like(y, seed + 100);
            const [, pullback] = vjp(f, inputs);
            const ju = pullback(u) as Tensor[];
            const left = inner(u, jv as Tensor);
            const floats = ju.flatMap((g, i) =>
              inputs[i]!.dtype === "int32" ? [] : [[g, v[i]!] as const],
            );
            const right = floats.reduce((sum, [g, dx]) => sum + inner(g, dx), 0);
            expect(Math.abs(left - right)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(left)));
          });
        }),
        { numRuns: 5 },
      );
    });

    test(`${sample.label}: the gradient's own gradient is that of central differences`, () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          scope(() => {
            const inputs = drawInputs(sample, declaration, seed, { backend });
            const gradient = (xs: Tensor[]) => {
              const [y, pullback] = vjp((zs: Tensor[]) => sample.call(zs), xs);
              return (pullback(like(y, seed + 7)) as Tensor[]).filter((g) => g.dtype !== "int32");
            };
            const report = checkGradients((xs) => gradient(xs as Tensor[]), inputs, {
              tolerance: 1e-6,
            });
            expect(report).toMatchObject({ mismatches: [], undecided: [] });
          });
        }),
        { numRuns: 2 },
      );
    });
  }
});
