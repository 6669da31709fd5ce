/**
 * The update of a parameter `w` of `n` elements against its gradient, element by element: what to add to it is written,
 * moments are changed in place. `update` overlaps nothing but `g`. Numbers are rounded to the dtype where they meet the
 * elements, and so is every operation in the kernels in WebAssembly, in the order of the formulas. With `decay`, unless
 * that is 0, `decay w + g` stands for `g`.
 *
 * `t` is the address of an int32, the number of this update, counted from 1. The rate is `factor`, times the float64 at
 * the address `rate` unless that is 0: so a program can be replayed with other numbers. Sizes of gradients are held as
 * roots of (mean) squares, and taken so that no square overflows or vanishes; an `epsilon` of 0 counts as the smallest
 * number above it.
 */
export interface UpdateKernels {
  /**
   * `update = -rate d`, where `d` is `g`; unless `beta` is 0, `momentum = beta momentum + (1 - dampening) g`, without
   * dampening where `t` is 1, and `d` is that, or `beta momentum + g` when `nesterov` is 1.
   */
  readonly sgd: (
    n: number,
    w: number,
    g: number,
    momentum: number,
    t: number,
    rate: number,
    factor: number,
    decay: number,
    beta: number,
    dampening: number,
    nesterov: number,
    update: number,
  ) => void;
  /**
   * `m = beta1 m + (1 - beta1) g`, `rms^2 = beta2 rms^2 + (1 - beta2) g^2`, and when `amsgrad` is 1 `largest =
   * max(largest, rms)` stands for `rms`; `update = -rate mhat / (rmshat + epsilon) - rate drift w`, with `mhat = m /
   * (1 - beta1^t)` and `rmshat = rms / sqrt(1 - beta2^t)`.
   */
  readonly adam: (
    n: number,
    w: number,
    g: number,
    m: number,
    rms: number,
    largest: number,
    t: number,
    rate: number,
    factor: number,
    decay: number,
    drift: number,
    beta1: number,
    beta2: number,
    amsgrad: number,
    epsilon: number,
    update: number,
  ) => void;
  /**
   * `rms^2 = smoothing rms^2 + (1 - smoothing) g^2`, `d = g / (rms + epsilon)`, `update = -rate d`; when `centered` is
   * 1, `rms` is the deviation from the mean, `rms^2 = smoothing (rms^2 + (1 - smoothing) (g - mean)^2)`, and then `mean =
   * smoothing mean + (1 - smoothing) g`; unless `beta` is 0, `momentum = beta momentum + d` stands for `d`.
   */
  readonly rmsprop: (
    n: number,
    w: number,
    g: number,
    rms: number,
    mean: number,
    momentum: number,
    rate: number,
    factor: number,
    decay: number,
    smoothing: number,
    centered: number,
    epsilon: number,
    beta: number,
    update: number,
  ) => void;
  /** `size^2 = size^2 + g^2`, `update = -rate / (1 + (t - 1) rateDecay) g / (size + epsilon)`. */
  readonly adagrad: (
    n: number,
    w: number,
    g: number,
    size: number,
    t: number,
    rate: number,
    factor: number,
    decay: number,
    rateDecay: number,
    epsilon: number,
    update: number,
  ) => void;
}

/** What each argument of these kernels is, in the letters of `Signature`. Moments that are not kept have address 0. */
export const updateSignatures: Readonly<Record<keyof UpdateKernels, string>> = {
  sgd: "nrrurrddddnw",
  adam: "nrruuurrdddddndw",
  rmsprop: "nrruuurdddnddw",
  adagrad: "nrrurrddddw",
};

/** Every name of `UpdateKernels`. */
export const updateNames: readonly (keyof UpdateKernels)[] = Object.keys(
  updateSignatures,
) as (keyof UpdateKernels)[];
