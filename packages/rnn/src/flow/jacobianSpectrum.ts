/** The spectrum of one row's Jacobian. */
export interface RowSpectrum {
  readonly row: number;
  /** The largest singular values, largest first. */
  readonly singularValues: readonly number[];
  /** The eigenvalues of largest modulus, that one first, as `[real, imaginary]`. */
  readonly eigenvalues: readonly (readonly [re: number, im: number])[];
  /** The largest modulus of an eigenvalue. */
  readonly radius: number;
  /**
   * How far from exact, relative to the norm: residuals of the singular values and of the first
   * eigenvalue; 0 where the dense matrix was decomposed.
   */
  readonly residual: { readonly singularValues: number; readonly eigenvalues: number };
}

/** The spectrum of the Jacobian of a step: means over the rows that take it. */
export interface StepSpectrum {
  readonly t: number;
  /** The spectral norm: the largest singular value. */
  readonly norm: number;
  /** The spectral radius. */
  readonly radius: number;
  /** The largest singular values, largest first. */
  readonly singularValues: readonly number[];
  readonly rows: readonly RowSpectrum[];
}

/** The spectra of the Jacobians `dh_t / dh_{t-1}` along a trajectory. */
export interface JacobianSpectrum {
  /** H. */
  readonly size: number;
  readonly method: "dense" | "Krylov";
  readonly steps: readonly StepSpectrum[];
}
