import { createBackend, ones, scope, Tape, zeros } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { describe, expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  clipAdaptive,
  clipByGlobalNorm,
  clipByValue,
  clipPerParameter,
  rmsprop,
  sgd,
} from "../../src/index.ts";

const makers = {
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
  function measure(
    optimizer: ReturnType<typeof make>,
    around: <T>(body: () => T) => T,
  ): [number, number] {
    let params = start();
    const gradients = {
      W: ones([4, 30], { backend }),
      layers: [{ b: ones([7], { backend, dtype: "float64" }) }],
    };
    const marks: number[] = [];
    for (let i = 1; i <= 2000; i++) {
      params = around(() => optimizer.update(params, gradients));
      if (i === 100 || i === 2000) marks.push(used());
    }
    return [marks[0]!, marks[1]!];
  }

  test("outside of scopes updates leave memory as it is", () => {
    const [early, late] = measure(make(), (body) => body());
    expect(late).toBe(early);
  });

  test("each in its own scope too", () => {
    const [early, late] = measure(make(), scope);
    expect(late).toBe(early);
  });

  test("all in one scope too, which returns everything but the moments", () => {
    const optimizer = make();
    const before = used();
    const [early, late] = scope(() => measure(optimizer, (body) => body()));
    expect(late).toBe(early);
    optimizer.reset();
    expect(used()).toBe(before);
  });

  test("each in a scope of its own within one scope too", () => {
    const [early, late] = scope(() => measure(make(), scope));
    expect(late).toBe(early);
  });

  test("moments outlive the scope of the update that made them", () => {
    const optimizer = make();
    const next = scope(() => optimizer.update(start(), start()));
    const again = scope(() => optimizer.update(next, start()));
    expect(again.W.shape).toEqual([4, 30]);
  });
});

test.each([
  ["clipByGlobalNorm", clipByGlobalNorm],
  ["clipPerParameter", clipPerParameter],
  ["clipByValue", clipByValue],
  ["clipAdaptive", (g: unknown, limit: number) => clipAdaptive(g, g, { clipping: limit })],
] as const)("a training step with %s in a scope leaves nothing behind", (_name, clip) => {
  const backend = createBackend({ kernels: referenceKernels });
  const optimizer = adam();
  let params = { w: ones([50], { backend }) };
  const marks: number[] = [];
  for (let i = 1; i <= 1000; i++) {
    params = scope(() => {
      const tape = new Tape();
      const watched = tape.watch(params);
      const gradients = tape.gradient(watched.w.square().sum(), watched);
      return optimizer.update(
        params,
        clip(gradients, 1e-3) as { gradients: typeof gradients } as never,
      );
    });
    if (i === 100 || i === 1000) marks.push(backend.memory.bytesInUse);
  }
  expect(marks[1]).toBe(marks[0]);
});

test("clipping itself leaves behind no more than the clipped gradients", () => {
  const backend = createBackend({ kernels: referenceKernels });
  const size = (body: () => unknown) => {
    const before = backend.memory.bytesInUse;
    body();
    return backend.memory.bytesInUse - before;
  };
  const g = { w: ones([100, 10], { backend }) };
  const one = size(() => ones([100, 10], { backend }));
  for (const clip of [
    () => clipByGlobalNorm(g, 1),
    () => clipByGlobalNorm(g, 1, { order: 1 }),
    () => clipByGlobalNorm(g, 0.5, { order: Number.POSITIVE_INFINITY }),
    () => clipPerParameter(g, 1),
    () => clipAdaptive(g, g),
  ]) {
    clip();
    expect(size(clip)).toBe(one);
  }
});
