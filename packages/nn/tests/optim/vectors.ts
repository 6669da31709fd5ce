import { type Backend, type FloatDType, tensor } from "@chronograd/autodiff";
import type { FloatKernels } from "@chronograd/autodiff/extend";

/**
 * Arithmetic on vectors of `n` elements in kernel memory, each named by its address. The result
 * comes last, and may be one of the operands.
 */
export class Vectors {
  n = 0;
  readonly #kernels: FloatKernels;
  readonly #backend: Backend;

  constructor(backend: Backend, dtype: FloatDType) {
    this.#backend = backend;
    this.#kernels = backend.kernels[dtype];
  }

  /** `beta^t` as the kernels take it. */
  power(beta: number, t: number): number {
    const on = { dtype: "float64", backend: this.#backend } as const;
    return tensor(beta, on).pow(tensor(t, on)).item();
  }

  /** `y = a + b` */
  add(a: number, b: number, y: number): void {
    this.#kernels.add(1, this.n, a, this.n, 1, b, this.n, 1, y);
  }

  /** `y = a - b` */
  sub(a: number, b: number, y: number): void {
    this.#kernels.sub(1, this.n, a, this.n, 1, b, this.n, 1, y);
  }

  /** `y = a / b` */
  div(a: number, b: number, y: number): void {
    this.#kernels.div(1, this.n, a, this.n, 1, b, this.n, 1, y);
  }

  /** `y = max(a, b)` */
  maximum(a: number, b: number, y: number): void {
    this.#kernels.maximum(1, this.n, a, this.n, 1, b, this.n, 1, y);
  }

  /** `y = alpha x` */
  scale(x: number, alpha: number, y: number): void {
    this.#kernels.scale(this.n, x, y, alpha);
  }

  /** `y = x + alpha` */
  offset(x: number, alpha: number, y: number): void {
    this.#kernels.offset(this.n, x, y, alpha);
  }

  /** `y = x^2` */
  square(x: number, y: number): void {
    this.#kernels.square(this.n, x, y);
  }

  /** `y = sqrt(x)` */
  sqrt(x: number, y: number): void {
    this.#kernels.sqrt(this.n, x, y);
  }

  /** `y = alpha x + z`; `y` is not `z`. */
  addScaled(x: number, alpha: number, z: number, y: number): void {
    this.scale(x, alpha, y);
    this.add(y, z, y);
  }

  /**
   * `average = beta average + (1 - beta) x`, an exponential moving average; `s` is scratch, and may
   * be `x`.
   */
  track(average: number, beta: number, x: number, s: number): void {
    this.scale(x, 1 - beta, s);
    this.scale(average, beta, average);
    this.add(average, s, average);
  }
}
