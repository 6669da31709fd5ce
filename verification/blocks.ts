import { type FloatDType, type Tensor, tensor } from "@chronograd/autodiff";
import type { InputSpec, Sample } from "@chronograd/autodiff/extend";
import { type Rng, rng } from "@chronograd/nn";

/** A random [3,3] matrix, float64. */
export function matrix(random: Rng): Tensor {
  return normal(random, [3, 3]);
}

/** Normal numbers of a shape, float64. */
export function normal(random: Rng, shape: readonly number[]): Tensor {
  const size = shape.reduce((n, length) => n * length, 1);
  return tensor(
    Float64Array.from({ length: size }, () => random.normal()),
    { shape },
  );
}

/** Steps from two matrices to one, smooth and of moderate size. */
const steps: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a, b) => a.matmul(b).mul(0.4).tanh(),
  (a, b) => a.matmul(b, { transposeA: true }).mul(0.4).sin(),
  (a, b) => a.mul(b).tanh(),
  (a, b) => a.add(b.transpose()).sigmoid(),
  (a, b) => a.sub(b.slice([[0, 1]])),
  (a, b) => a.div(b.square().add(1)),
  (a, b) => a.exp().softmax(1).mul(b),
  (a, b) => a.add(b.sum(0).mul(0.2)),
];

/**
 * A part of a program: from some matrices to one, by random steps. Values are used once, often, or
 * never.
 */
export function block(random: Rng, length = 4): (...inputs: Tensor[]) => Tensor {
  const plan = Array.from(
    { length },
    () => [random.integer(0, steps.length), random.uniform(), random.uniform()] as const,
  );
  return (...inputs) => {
    const values = [...inputs];
    for (const [step, a, b] of plan) {
      // The first operand is the latest value, so that nothing is cut off from the result.
      const other = values[Math.floor(b * values.length)]!;
      const latest = a < 0.7 ? values.at(-1)! : values[Math.floor(a * values.length)]!;
      values.push(steps[step]!(latest, other));
    }
    // Every input matters, whatever steps were drawn.
    const direct = inputs.map((x, i) => x.mul(0.1 * (i + 1)).sin());
    return [...direct, ...values.slice(-2)].reduce((x, y) => x.add(y.mul(0.7)));
  };
}

/** Inputs for one way to call an op: in its domain, and away from places where derivatives jump. */
export function drawSample(
  { inputs }: Sample,
  seed: number,
  { kinks = [], dtype = "float64" }: { kinks?: readonly number[]; dtype?: FloatDType } = {},
): Tensor[] {
  const random = rng(seed, "sample");
  const element = ({ domain: [low, high] = [-2, 2], integers }: InputSpec): number => {
    if (integers !== undefined) return random.integer(integers[0], integers[1]);
    for (;;) {
      const x = low + random.uniform() * (high - low);
      if (kinks.every((kink) => Math.abs(x - kink) > 0.05)) return x;
    }
  };
  return inputs.map((spec) => {
    const size = spec.shape.reduce((n, length) => n * length, 1);
    return tensor(
      Float64Array.from({ length: size }, () => element(spec)),
      { shape: spec.shape, dtype: spec.integers === undefined ? dtype : "int32" },
    );
  });
}
