import { scope, Tape, type Tensor, tensor } from "@chronograd/autodiff";
import { functionLaws, type Law } from "@chronograd/autodiff/testing";
import { dropout, embedding, layerNorm, linear, type Rng, rng } from "@chronograd/nn";
import { normal } from "./blocks.ts";
import { lossSubjects } from "./losses.ts";
import type { Subject } from "./subject.ts";
import { Tally, values } from "./tally.ts";

/** Inputs in either float dtype. */
export function inDtype(x: Tensor, dtype: "float32" | "float64"): Tensor {
  return x.dtype === dtype ? x : x.cast(dtype).detach();
}

/** A law with its own random generator. */
export function law(
  name: string,
  statement: string,
  bound: number,
  measure: (random: Rng, tally: Tally) => void,
): Law {
  return {
    name,
    statement,
    bound,
    measure: (seed) =>
      scope(() => {
        const tally = new Tally();
        for (let draw = 0; draw < 3; draw++) measure(rng(3 * seed + draw, name), tally);
        return tally;
      }),
  };
}

const [inputs, outputs] = [3, 2];
const dense = linear({ input: inputs, output: outputs });
const normalized = layerNorm({ input: 4, epsilon: 0.1 });
const symbols = embedding({ input: 4, output: 3 });

const linearFormula = law(
  "linear formula",
  "y[n,j] = sum over i of x[n,i] W[i,j] + b[j], number by number",
  1e-12,
  (random, tally) => {
    const params = { W: normal(random, [inputs, outputs]), b: normal(random, [outputs]) };
    const x = normal(random, [2, 2, inputs]);
    const [W, b, rows] = [values(params.W), values(params.b), values(x)];
    const expected = Array.from({ length: 4 * outputs }, (_, k) => {
      const [n, j] = [Math.floor(k / outputs), k % outputs];
      let sum = b[j]!;
      for (let i = 0; i < inputs; i++) sum += rows[n * inputs + i]! * W[i * outputs + j]!;
      return sum;
    });
    tally.list(values(dense.apply(params, x)), expected, "y");
    const bare = linear({ input: inputs, output: outputs, bias: false }).apply({ W: params.W }, x);
    tally.list(
      values(bare),
      expected.map((y, k) => y - b[k % outputs]!),
      "y without a bias",
    );
  },
);

const layerNormFormula = law(
  "layerNorm formula",
  "y = (x - mean) / sqrt(variance + epsilon) gain + bias, with the biased variance of the last axis, number by number",
  1e-12,
  (random, tally) => {
    const params = { gain: normal(random, [4]), bias: normal(random, [4]) };
    const x = normal(random, [3, 4]);
    const [gain, bias] = [values(params.gain), values(params.bias)];
    const expected: number[] = [];
    for (let n = 0; n < 3; n++) {
      const row = values(x).slice(4 * n, 4 * n + 4);
      const mean = row.reduce((a, b) => a + b) / 4;
      const variance = row.reduce((sum, e) => sum + (e - mean) ** 2, 0) / 4;
      for (const [i, e] of row.entries()) {
        expected.push(((e - mean) / Math.sqrt(variance + 0.1)) * gain[i]! + bias[i]!);
      }
    }
    tally.list(values(normalized.apply(params, x)), expected, "y");
  },
);

const dropoutFormula = law(
  "dropout formula",
  "each element is 0 or x / (1 - rate), about rate of them 0, and the gradient has the same mask",
  1e-12,
  (random, tally) => {
    const rate = 0.1 + 0.6 * random.uniform();
    const x = normal(random, [2000]);
    const tape = new Tape();
    const watched = tape.watch(x);
    const y = dropout({ rate }).apply(watched, random.split("mask"));
    const u = normal(random, [2000]);
    const [g, before, after] = [tape.gradient(y, watched, { cotangent: u }), values(x), values(y)];
    const factors = after.map((value) => (value === 0 ? 0 : 1 / (1 - rate)));
    tally.list(
      after,
      before.map((value, i) => value * factors[i]!),
      "y",
    );
    tally.list(
      values(g),
      values(u).map((value, i) => value * factors[i]!),
      "gradient",
    );
    const share = factors.filter((factor) => factor === 0).length / 2000;
    // Seven standard deviations.
    const spread = 7 * Math.sqrt((rate * (1 - rate)) / 2000);
    tally.check(Math.abs(share - rate) < spread, () => `dropped ${share} at rate ${rate}`);
    const off = dropout({ rate }).apply(x, undefined);
    tally.bits(values(off), before, "y without a stream");
  },
);

/** Layers: the laws of functions, and their formulas. */
export function layerSubjects(): Subject[] {
  const group = "layers";
  const draw = (shapes: Readonly<Record<string, readonly number[]>>) => {
    return (seed: number, dtype: "float32" | "float64") => {
      const random = rng(seed, "inputs");
      return Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [
          name,
          inDtype(normal(random, shape), dtype),
        ]),
      ) as Record<string, Tensor>;
    };
  };
  const indices = tensor(Int32Array.of(2, 0, 2, 3), { shape: [2, 2] });
  return [
    {
      name: "linear",
      group,
      laws: [
        linearFormula,
        ...functionLaws(
          ({ x, W, b }) => dense.apply({ W: W!, b: b! }, x!),
          draw({ x: [2, inputs], W: [inputs, outputs], b: [outputs] }),
        ),
      ],
    },
    {
      name: "layerNorm",
      group,
      laws: [
        layerNormFormula,
        ...functionLaws(
          ({ x, gain, bias }) => normalized.apply({ gain: gain!, bias: bias! }, x!),
          draw({ x: [3, 4], gain: [4], bias: [4] }),
        ),
      ],
    },
    {
      name: "embedding",
      group,
      laws: functionLaws(
        ({ table }) => symbols.apply({ table: table! }, indices),
        draw({ table: [4, 3] }),
      ),
    },
    {
      name: "dropout",
      group,
      laws: [
        dropoutFormula,
        ...functionLaws(
          ({ x }) => dropout({ rate: 0.4 }).apply(x!, rng(1, "mask")),
          draw({ x: [3, 4] }),
        ),
      ],
    },
    ...lossSubjects(),
  ];
}
