import type { FloatKernels } from "@chronograd/autodiff/extend";

/** Vectors of `n` elements, all contiguous, by address; the result comes last. */
export class Vectors {
  readonly n: number;
  readonly #kernels: FloatKernels;

  constructor(kernels: FloatKernels, n: number) {
    this.n = n;
    this.#kernels = kernels;
  }

  add(a: number, b: number, y: number): void {
    this.#kernels.add(1, this.n, a, this.n, 1, b, this.n, 1, y);
  }

  sub(a: number, b: number, y: number): void {
    this.#kernels.sub(1, this.n, a, this.n, 1, b, this.n, 1, y);
  }

  mul(a: number, b: number, y: number): void {
    this.#kernels.mul(1, this.n, a, this.n, 1, b, this.n, 1, y);
  }

  div(a: number, b: number, y: number): void {
    this.#kernels.div(1, this.n, a, this.n, 1, b, this.n, 1, y);
  }

  scale(x: number, alpha: number, y: number): void {
    this.#kernels.scale(this.n, x, y, alpha);
  }

  offset(x: number, alpha: number, y: number): void {
    this.#kernels.offset(this.n, x, y, alpha);
  }

  square(x: number, y: number): void {
    this.#kernels.square(this.n, x, y);
  }

  sqrt(x: number, y: number): void {
    this.#kernels.sqrt(this.n, x, y);
  }

  sigmoid(x: number, y: number): void {
    this.#kernels.sigmoid(this.n, x, y);
  }

  tanh(x: number, y: number): void {
    this.#kernels.tanh(this.n, x, y);
  }

  /**
   * `y = g s (1 - s)`, the slope of a sigmoid whose value is `s`; `scratch` is overwritten, `y` may
   * be `g`.
   */
  throughSigmoid(g: number, s: number, scratch: number, y: number): void {
    this.square(s, scratch);
    this.sub(s, scratch, scratch);
    this.mul(g, scratch, y);
  }

  /**
   * `y = g (1 - t^2)`, the slope of a tanh whose value is `t`; `scratch` is overwritten, `y` may be
   * `g`.
   */
  throughTanh(g: number, t: number, scratch: number, y: number): void {
    this.square(t, scratch);
    this.mul(g, scratch, scratch);
    this.sub(g, scratch, y);
  }
}
