import type { FloatKernels } from "@chronograd/autodiff/extend";
import { adamEpsilon, clipNorm, learningRate } from "../problem.ts";
import { Vectors } from "./bareKernels.ts";

/** Elements at a time: few enough that all vectors stay in the first caches. */
const stretch = 2048;

/** Clipping and Adam over `n` parameters that lie in one piece, in place. */
export class BareAdam {
  readonly #kernels: FloatKernels;
  readonly #n: number;
  readonly #m: number;
  readonly #v: number;
  readonly #scratch: number;
  #t = 0;

  constructor(kernels: FloatKernels, allocate: (size: number) => number, n: number) {
    this.#kernels = kernels;
    this.#n = n;
    this.#m = allocate(n);
    this.#v = allocate(n);
    this.#scratch = allocate(stretch);
    kernels.fill(n, 0, this.#m);
    kernels.fill(n, 0, this.#v);
  }

  /** Scales the gradient at `g` to the largest norm allowed; returns its norm before. */
  clip(g: number): number {
    const norm = Math.sqrt(this.#kernels.sumSquares(this.#n, g));
    if (norm > clipNorm) this.#kernels.scale(this.#n, g, g, clipNorm / norm);
    return norm;
  }

  update(w: number, g: number): void {
    this.#t++;
    const rate = learningRate / (1 - 0.9 ** this.#t);
    const root = 1 / Math.sqrt(1 - 0.999 ** this.#t);
    const s = this.#scratch;
    for (let done = 0; done < this.#n; done += stretch) {
      const vectors = new Vectors(this.#kernels, Math.min(stretch, this.#n - done));
      const [m, v, at] = [this.#m + 4 * done, this.#v + 4 * done, g + 4 * done];
      vectors.scale(m, 0.9, m);
      vectors.scale(at, 0.1, s);
      vectors.add(m, s, m);
      vectors.square(at, s);
      vectors.scale(s, 0.001, s);
      vectors.scale(v, 0.999, v);
      vectors.add(v, s, v);
      vectors.sqrt(v, s);
      vectors.scale(s, root, s);
      vectors.offset(s, adamEpsilon, s);
      vectors.div(m, s, s);
      vectors.scale(s, -rate, s);
      vectors.add(w + 4 * done, s, w + 4 * done);
    }
  }
}
