/**
 * One update of a parameter `w` of `n` elements against its gradient, element by element: `next` is written, moments are
 * changed in place. `next` overlaps nothing. Numbers are rounded to the dtype, and so is every operation in the kernels in
 * WebAssembly, in the order of the formulas. With `decay`, unless that is 0, `decay w + g` stands for `g`.
 */
export interface UpdateKernels {
  /**
   * `next = step d + w`, where `d` is `g`; unless `beta` is 0, `momentum = beta momentum + rest g` and `d` is that, or
   * `beta momentum + g` when `nesterov` is 1.
   */
  readonly sgd: (
    n: number,
    w: number,
    g: number,
    momentum: number,
    decay: number,
    beta: number,
    rest: number,
    nesterov: number,
    step: number,
    next: number,
  ) => void;
  /**
   * `m = beta1 m + rest1 g`, `v = beta2 v + rest2 g^2`, `next = shrink w + step (m / (correction sqrt(v) + epsilon))`;
   * when `amsgrad` is 1, `largest = max(largest, v)` stands under the root.
   */
  readonly adam: (
    n: number,
    w: number,
    g: number,
    m: number,
    v: number,
    largest: number,
    decay: number,
    shrink: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    amsgrad: number,
    correction: number,
    epsilon: number,
    step: number,
    next: number,
  ) => void;
  /**
   * `square = smoothing square + rest g^2`, `d = g / (sqrt(square) + epsilon)`, `next = step d + w`; when `centered` is 1,
   * `mean = smoothing mean + rest g` and `square - mean^2` stands under the root; unless `beta` is 0,
   * `momentum = beta momentum + d` stands for `d`.
   */
  readonly rmsprop: (
    n: number,
    w: number,
    g: number,
    square: number,
    mean: number,
    momentum: number,
    decay: number,
    smoothing: number,
    rest: number,
    centered: number,
    epsilon: number,
    beta: number,
    step: number,
    next: number,
  ) => void;
  /** `sum = sum + g^2`, `next = step (g / (sqrt(sum) + epsilon)) + w`. */
  readonly adagrad: (
    n: number,
    w: number,
    g: number,
    sum: number,
    decay: number,
    epsilon: number,
    step: number,
    next: number,
  ) => void;
}

/** What each argument of these kernels is, in the letters of `Signature`. Moments that are not kept have address 0. */
export const updateSignatures: Readonly<Record<keyof UpdateKernels, string>> = {
  sgd: "nrrusssnsw",
  adam: "nrruuussssssnsssw",
  rmsprop: "nrruuusssnsssw",
  adagrad: "nrrusssw",
};

/** Every name of `UpdateKernels`. */
export const updateNames: readonly (keyof UpdateKernels)[] = Object.keys(
  updateSignatures,
) as (keyof UpdateKernels)[];
