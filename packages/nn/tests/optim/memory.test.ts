import { createBackend, ones, scope, Tape, tensor, zeros } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { describe, expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  applyUpdates,
  type ClipState,
  chain,
  clipAdaptive,
  clipByGlobalNorm,
  clipByValue,
  clipPerParameter,
  type GradientTransformation,
  rmsprop,
  sgd,
} from "../../src/index.ts";
import { Run } from "./run.ts";

const makers: Readonly<Record<string, () => GradientTransformation>> = {
  sgd: () => sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
  rmsprop: () => rmsprop({ centered: true, momentum: 0.5 }),
  adagrad: () => adagrad(),
  adam: () => adam({ amsgrad: true }),
  adamW: () => adamW(),
};
const cases = ([referenceKernels, "simd"] as const).flatMap((kernels) =>
  Object.entries(makers).map(([name, make]) => [name, kernels, make] as const),
);

describe.each(cases)("%s on %s kernels", (_name, kernels, make) => {
  const backend = createBackend({ kernels });
  const start = () => ({
    W: zeros([4, 30], { backend }),
    layers: [{ b: zeros([7], { backend, dtype: "float64" }) }],
  });
  const used = () => backend.memory.bytesInUse;

  /** Bytes in use after 100 and after 2,000 updates, in one turn of the event loop. */
  function measure(optimizer: Run, around: <T>(body: () => T) => T): [number, number] {
    let params = start();
    const gradients = {
      W: ones([4, 30], { backend }),
      layers: [{ b: ones([7], { backend, dtype: "float64" }) }],
    };
    const marks: number[] = [];
    for (let i = 1; i <= 2000; i++) {
      [params, optimizer.state] = around(() => [
        optimizer.update(params, gradients),
        optimizer.state,
      ]);
      if (i === 100 || i === 2000) marks.push(used());
    }
    return [marks[0]!, marks[1]!];
  }

  test("a state and parameters take the places of the old ones", () => {
    const optimizer = new Run(make());
    let params = optimizer.update(start(), start());
    const before = used();
    scope(() => {
      const next = optimizer.update(params, start());
      params = next;
    });
    expect(used()).toBeLessThanOrEqual(before);
  });

  test("each in its own scope too", () => {
    const [early, late] = measure(new Run(make()), scope);
    expect(late).toBe(early);
  });

  test("within one scope, which returns everything", () => {
    const before = used();
    const [early, late] = scope(() => measure(new Run(make()), scope));
    expect(late).toBe(early);
    expect(used()).toBe(before);
  });

  test("a state outlives the scope of the update that made it", () => {
    const optimizer = make();
    const first = start();
    const [next, state] = scope(() => {
      const [updates, after] = optimizer.update(start(), optimizer.init(first), first);
      return [updates, after];
    });
    const [again] = scope(() => optimizer.update(next, state, first));
    expect(again.W.shape).toEqual([4, 30]);
  });
});

test.each([
  ["clipByGlobalNorm", clipByGlobalNorm(1e-3)],
  ["clipPerParameter", clipPerParameter(1e-3)],
  ["clipByValue", clipByValue(1e-3)],
  ["clipAdaptive", clipAdaptive({ clipping: 1e-3 })],
] as const)("a training step with %s in a scope leaves nothing behind", (_name, clip) => {
  const backend = createBackend({ kernels: referenceKernels });
  const optimizer = new Run(chain({ clip, adam: adam() }));
  let params = { w: ones([50], { backend }) };
  const marks: number[] = [];
  for (let i = 1; i <= 1000; i++) {
    [params, optimizer.state] = scope(() => {
      const tape = new Tape();
      const watched = tape.watch(params);
      const gradients = tape.gradient(watched.w.square().sum(), watched);
      return [optimizer.update(params, gradients), optimizer.state];
    });
    if (i === 100 || i === 1000) marks.push(backend.memory.bytesInUse);
  }
  expect(marks[1]).toBe(marks[0]);
});

test("clipping itself leaves behind no more than the clipped gradients and the norm", () => {
  const backend = createBackend({ kernels: referenceKernels });
  const size = (body: () => unknown) => {
    const before = backend.memory.bytesInUse;
    scope(() => {
      body();
      return 0;
    });
    return backend.memory.bytesInUse - before;
  };
  const g = { w: ones([100, 10], { backend }) };
  const links: GradientTransformation<ClipState>[] = [
    clipByGlobalNorm(1),
    clipByGlobalNorm(1, { order: 1 }),
    clipByGlobalNorm(0.5, { order: Number.POSITIVE_INFINITY }),
    clipPerParameter(1),
    clipAdaptive(),
  ];
  for (const link of links) {
    link.update(g, link.init(g), g);
    expect(size(() => link.update(g, link.init(g), g))).toBe(0);
  }
});

test("a tape keeps an untracked parameter that an update consumed, and its derivatives", () => {
  const backend = createBackend();
  const before = backend.memory.bytesInUse;
  scope(() => {
    const tape = new Tape();
    const w = tensor([2, 3], { backend });
    const r = tape.watch(tensor([5, 7], { backend }));
    const y = w.mul(r);
    applyUpdates(w, tensor([1, 1], { backend }));
    expect(tape.gradient(y.sum(), r).toArray()).toEqual([2, 3]);
  });
  expect(backend.memory.bytesInUse).toBe(before);
});
