import { createBackend } from "@chronograd/autodiff";
import { sizeOf } from "../protocol.ts";
import type { Maker } from "../serve.ts";

/** `C[m,n] = A B` by the matrix kernel itself, `repeat` times a step; the time of one. */
export const product: Maker = ({ config }) => {
  const [m, n, k, aT, bT, repeat] = ["m", "n", "k", "aT", "bT", "repeat"].map((name) =>
    sizeOf(config, name),
  ) as [number, number, number, number, number, number];
  const { memory, kernels } = createBackend();
  const { matmul } = kernels.float32;
  const array = (size: number): number => {
    const pointer = memory.allocate(4 * size);
    for (let i = 0; i < size; i++) memory.views.float32[pointer / 4 + i] = Math.sin(i);
    return pointer;
  };
  const a = array(m * k);
  const b = array(k * n);
  const c = array(m * n);
  const lda = aT ? m : k;
  const ldb = bT ? k : n;
  return {
    step: () => {
      const started = performance.now();
      for (let i = 0; i < repeat; i++) matmul(m, n, k, a, lda, aT, b, ldb, bT, c, n, 0);
      return { ms: (performance.now() - started) / repeat };
    },
  };
};
