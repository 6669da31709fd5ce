import {
  type Backend,
  layerNormalize,
  slice,
  type Tensor,
  tensor,
  tree,
  vjp,
} from "@chronograd/autodiff";
import { type ForwardRun, RecordedFunction, type Shards } from "@chronograd/autodiff/internal";

/** What the function of the tests is computed from: some rows, and weights of all rows. */
export interface Given {
  readonly x: Tensor;
  readonly w: Tensor;
  readonly gain: Tensor;
  readonly bias: Tensor;
}

/**
 * Products, sums over rows and over columns, strided operands, and sines of large numbers: kernels
 * that need memory of their own while they run.
 */
export function model({ x, w, gain, bias }: Given): Tensor {
  const h = layerNormalize(x.matmul(w), gain, bias).tanh();
  const scaled = h
    .mul(1e7)
    .sin()
    .mul(slice(x, [null, [0, 1]]));
  return scaled.add(h.matmul(w).sum(1, { keepDims: true })).add(bias);
}

/** Numbers that look random and are the same in each run. */
export function values(shape: readonly number[], seed: number, backend: Backend): Tensor {
  let state = seed + 1;
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return tensor(data, { shape, backend });
}

export function given(rows: number, columns: number, seed: number, backend: Backend): Given {
  return {
    x: values([rows, columns], seed, backend),
    w: values([columns, columns], seed + 1, backend),
    gain: values([columns], seed + 2, backend),
    bias: values([columns], seed + 3, backend),
  };
}

export type Model = (inputs: Given) => Tensor;

export function planned(
  f: Model,
  inputs: Given,
  shards: Shards,
): RecordedFunction<Given, { y: Tensor }, Given> {
  const recorded = RecordedFunction.plan(
    (given: Given) => {
      const [y, pullback] = vjp(f, given);
      return {
        value: { y },
        pullbacks: [(g: unknown) => pullback(g as Tensor) as unknown as Given],
      };
    },
    inputs,
    [f(inputs)],
    shards,
  );
  if (typeof recorded === "string") throw new Error(recorded);
  return recorded;
}

/** The bytes of values and gradients of all parts. */
export function run(
  plan: RecordedFunction<Given, { y: Tensor }, Given>,
  parts: readonly Given[],
): Buffer {
  const runs: ForwardRun<unknown>[] = plan.forwardShards(plan.tensorsOf(parts)!);
  const ys = runs.map(({ value }) => (value as { y: Tensor }).y);
  const gradients = plan.backwardShards(runs, ys);
  for (const each of runs) each.end("the test is over");
  return Buffer.concat(tree.leaves([ys, gradients]).map(bytesOf));
}

export function bytesOf(x: Tensor): Buffer {
  const { buffer, byteOffset, byteLength } = x.toTypedArray();
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Waits until threads have started and have taken part in a run. */
export async function warm(work: () => unknown, isUp: () => boolean): Promise<void> {
  const until = performance.now() + 5000;
  while (!isUp()) {
    work();
    if (performance.now() > until) throw new Error("the threads do not start");
    await new Promise((done) => setTimeout(done, 5));
  }
  work();
}
