import { concat, type Tensor, tensor } from "@chronograd/autodiff";
import { functionLaws, type Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import type { Subject } from "./subject.ts";

/**
 * Steps that keep a [3,3] matrix of moderate size moderate, each of one or two values made before.
 */
const steps: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a) => a.tanh(),
  (a) => a.sigmoid(),
  (a) => a.sin(),
  (a) => a.square().add(1).rsqrt(),
  (a) => a.softmax(1),
  (a) => a.transpose(),
  (a) => a.sub(a.mean(1, { keepDims: true })),
  (a) => concat([a.slice([[1, 3]]), a.slice([[0, 1]])]),
  (a) => a.add(a.sum(0)).mul(0.3),
  (a, b) => a.add(b),
  (a, b) => a.sub(b),
  (a, b) => a.mul(b).tanh(),
  (a, b) => a.matmul(b).mul(0.4),
  (a, b) => a.matmul(b, { transposeB: true }).mul(0.4),
  (a, b) => a.div(b.square().add(1)),
  (a, b) => b.cumsum(1).mul(0.3).add(a),
];

/**
 * A random program: every value is made of random ones before it, so that values are used once,
 * often, or never.
 */
function program(seed: number): (inputs: { x: Tensor; w: Tensor; v: Tensor }) => Tensor[] {
  const random = rng(seed, "program");
  const draw = (n: number) => Math.min(n - 1, Math.floor(random.uniform() * n));
  const length = 3 + draw(10);
  const plan = Array.from(
    { length },
    (_, i) => [draw(steps.length), draw(i + 3), draw(i + 3)] as const,
  );
  return ({ x, w, v }) => {
    const values = [x, w, v];
    for (const [step, a, b] of plan) values.push(steps[step]!(values[a]!, values[b]!));
    return values.slice(-2);
  };
}

/**
 * All laws of functions, for programs drawn by the seed: what holds for ops must hold for their
 * compositions.
 */
export function programSubject(): Subject {
  const lawsFor = (seed: number): Law[] =>
    functionLaws(program(seed), (at, dtype) => {
      const random = rng(at, "inputs");
      const matrix = () =>
        tensor(
          Float64Array.from({ length: 9 }, () => random.normal()),
          { shape: [3, 3], dtype },
        );
      return { x: matrix(), w: matrix(), v: matrix() };
    });
  // The program is part of what the seed draws.
  const laws = lawsFor(1).map(({ name, statement, bound }, i) => ({
    name,
    statement,
    bound,
    measure: (seed: number) => lawsFor(seed)[i]!.measure(seed),
  }));
  return { name: "random programs", group: "programs", laws };
}
