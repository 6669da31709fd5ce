import { greater, Tape, type Tensor, tensor } from "@chronograd/autodiff";
import { functionLaws, type Law } from "@chronograd/autodiff/testing";
import {
  binaryCrossEntropyFromLogits,
  crossEntropy,
  gaussianNegativeLogLikelihood,
  huber,
  meanSquaredError,
  type Reduction,
  type Rng,
  rng,
} from "@chronograd/nn";
import { normal } from "./blocks.ts";
import type { Subject } from "./subject.ts";
import { Tally, values } from "./tally.ts";

type Floats = Readonly<Record<string, Tensor>>;
type Dtype = "float32" | "float64";

/** A loss with the shapes of what it is differentiated by, and its formula for one element. */
interface Loss {
  readonly name: string;
  /** Drawn by the seed; differentiated by. */
  draw(random: Rng): Floats;
  call(inputs: Floats, options: { readonly reduction?: Reduction }): Tensor;
  /** The losses themselves, from plain numbers, and how many of them count. */
  formula(inputs: Readonly<Record<string, readonly number[]>>): {
    readonly losses: readonly number[];
    readonly count: number;
  };
}

const everything = (losses: readonly number[]) => ({ losses, count: losses.length });
const shape = [2, 3];
const classes = [1, 2, 0, 2, 1];
const ignored = 1;

const losses: readonly Loss[] = [
  {
    name: "meanSquaredError",
    draw: (random) => ({ y: normal(random, shape), target: normal(random, shape) }),
    call: ({ y, target }, options) => meanSquaredError(y!, target!, options),
    formula: ({ y, target }) => everything(y!.map((e, i) => (e - target![i]!) ** 2)),
  },
  {
    name: "huber",
    // Errors away from 0 and from delta, where derivatives jump.
    draw: (random) => {
      const target = normal(random, shape);
      const error = normal(random, shape).sigmoid();
      const isLarge = greater(normal(random, shape), 0);
      const side = greater(normal(random, shape), 0).mul(2).sub(1);
      return { y: target.add(error.mul(0.5).add(0.1).add(isLarge.mul(0.7)).mul(side)), target };
    },
    call: ({ y, target }, options) => huber(y!, target!, { delta: 0.7, ...options }),
    formula: ({ y, target }) =>
      everything(
        y!.map((value, i) => {
          const e = Math.abs(value - target![i]!);
          return e <= 0.7 ? e ** 2 / 2 : 0.7 * (e - 0.35);
        }),
      ),
  },
  {
    name: "binaryCrossEntropyFromLogits",
    draw: (random) => ({ x: normal(random, shape), t: normal(random, shape).sigmoid() }),
    call: ({ x, t }, options) => binaryCrossEntropyFromLogits(x!, t!, options),
    formula: ({ x, t }) =>
      everything(
        x!.map((value, i) => {
          const p = 1 / (1 + Math.exp(-value));
          return -t![i]! * Math.log(p) - (1 - t![i]!) * Math.log(1 - p);
        }),
      ),
  },
  {
    name: "gaussianNegativeLogLikelihood",
    draw: (random) => ({
      mean: normal(random, shape),
      variance: normal(random, shape).sigmoid().add(0.5),
      target: normal(random, shape),
    }),
    call: ({ mean, variance, target }, options) =>
      gaussianNegativeLogLikelihood(mean!, variance!, target!, options),
    formula: ({ mean, variance, target }) =>
      everything(
        mean!.map((m, i) => {
          const v = variance![i]!;
          return (Math.log(v) + (target![i]! - m) ** 2 / v) / 2;
        }),
      ),
  },
  {
    name: "crossEntropy",
    draw: (random) => ({ logits: normal(random, [classes.length, 3]) }),
    call: ({ logits }, options) =>
      crossEntropy(logits!, classes, { ignoreIndex: ignored, ...options }),
    formula: ({ logits }) => ({
      losses: classes.map((target, n) => {
        if (target === ignored) return 0;
        const row = logits!.slice(3 * n, 3 * n + 3);
        return Math.log(row.reduce((sum, e) => sum + Math.exp(e), 0)) - row[target]!;
      }),
      count: classes.filter((target) => target !== ignored).length,
    }),
  },
];

function formulaLaw({ draw, call, formula }: Loss): Law {
  return {
    name: "loss formula",
    statement:
      "none: the formula, number by number; sum: added up; mean: divided by how many count",
    bound: 1e-12,
    measure(seed) {
      const tally = new Tally();
      const inputs = draw(rng(seed, "formula"));
      const plain = Object.entries(inputs).map(([name, x]) => [name, values(x)] as const);
      const expected = formula(Object.fromEntries(plain));
      const sum = expected.losses.reduce((a, b) => a + b, 0);
      tally.list(values(call(inputs, { reduction: "none" })), expected.losses, "none");
      tally.number(call(inputs, { reduction: "sum" }).item(), sum, () => "sum");
      tally.number(call(inputs, { reduction: "mean" }).item(), sum / expected.count, () => "mean");
      tally.number(call(inputs, {}).item(), sum / expected.count, () => "as it is");
      return tally;
    },
  };
}

/** A limited variance: as documented, the gradient ignores the limit. */
const small: Law = {
  name: "small variance",
  statement:
    "below epsilon a variance counts as epsilon, and its gradient is what it is at epsilon",
  bound: 1e-12,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "small");
    const [mean, target] = [normal(random, [3]), normal(random, [3])];
    const slopes = (variance: number) => {
      const v = tensor(Float64Array.of(variance, variance, 1));
      return values(
        gradientBy(v, (x) => gaussianNegativeLogLikelihood(mean, x, target, { epsilon: 0.5 })),
      );
    };
    tally.list(slopes(0.1), slopes(0.5), "gradient by the variance");
    const at = (variance: number) =>
      gaussianNegativeLogLikelihood(mean, variance, target, { epsilon: 0.5 }).item();
    tally.number(at(0.1), at(0.5), () => "loss with a number for variance");
    const one = tensor(Float64Array.of(2, 2, 2));
    const both = gaussianNegativeLogLikelihood(mean, one, target);
    tally.number(at(2), both.item(), () => "a number beside a tensor");
    return tally;
  },
};

function gradientBy(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const tape = new Tape();
  const watched = tape.watch(x);
  return tape.gradient(f(watched), watched);
}

/** Losses in every reduction: the laws of functions, and their formulas. */
export function lossSubjects(): Subject[] {
  return losses.map((loss) => ({
    name: loss.name,
    group: "losses",
    laws: [
      formulaLaw(loss),
      ...(loss.name.startsWith("gaussian") ? [small] : []),
      ...(["mean", "none"] as const).flatMap((reduction) =>
        functionLaws(
          (inputs: Floats) => loss.call(inputs, { reduction }),
          (seed, dtype: Dtype) => {
            const drawn = Object.entries(loss.draw(rng(seed, "inputs")));
            return Object.fromEntries(
              drawn.map(([name, x]) => [name, dtype === "float64" ? x : x.cast(dtype).detach()]),
            ) as Floats;
          },
        ),
      ),
    ],
  }));
}
