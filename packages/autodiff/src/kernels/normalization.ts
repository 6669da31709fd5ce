/**
 * Layer normalisation of the rows of a contiguous `x [rows, cols]`: with `d = x - mean` and
 * `s = 1 / sqrt(mean of d^2 + epsilon)`, `n = d s`.
 */
export interface NormalizationKernels {
  /** `y = n gain + bias`. */
  readonly layerNorm: (
    rows: number,
    cols: number,
    x: number,
    gain: number,
    bias: number,
    epsilon: number,
    y: number,
  ) => void;
  /** With `k = g gain`: `dx = s (k - mean of k - n (mean of k n))`, added to what is there when `accumulate` is 1. */
  readonly layerNormVjp: (
    rows: number,
    cols: number,
    x: number,
    gain: number,
    g: number,
    epsilon: number,
    accumulate: number,
    dx: number,
  ) => void;
  /** `dgain = sum over rows of g n`, accurate as `sum` is; added to what is there when `accumulate` is 1. */
  readonly layerNormVjpGain: (
    rows: number,
    cols: number,
    x: number,
    g: number,
    epsilon: number,
    accumulate: number,
    dgain: number,
  ) => void;
}

/** What each argument of these kernels is, in the letters of `Signature`. */
export const normalizationSignatures: Readonly<Record<keyof NormalizationKernels, string>> = {
  layerNorm: "nnrrrsw",
  layerNormVjp: "nnrrrsnu",
  layerNormVjpGain: "nnrrsnu",
};

/** Every name of `NormalizationKernels`. */
export const normalizationNames: readonly (keyof NormalizationKernels)[] = Object.keys(
  normalizationSignatures,
) as (keyof NormalizationKernels)[];
