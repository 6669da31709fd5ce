/** Mel of a frequency in Hz: 1000 mel are 1000 Hz (O'Shaughnessy 1987, Speech communication). */
export function melOf(hertz: number): number {
  return 2595 * Math.log10(1 + hertz / 700);
}

/** The frequency in Hz of so many mel. */
export function hertzOf(mel: number): number {
  return 700 * (10 ** (mel / 2595) - 1);
}

/** Weights of neighbouring bins of a spectrum. */
export interface Filter {
  /** The first bin. */
  readonly from: number;
  readonly weights: Float64Array;
}

/**
 * Triangles that lie equally far apart in mel and overlap by half (Davis & Mermelstein 1980,
 * Comparison of parametric representations for monosyllabic word recognition). Each begins at the
 * peak of the one before, has height 1, and ends at the peak of the next.
 *
 * @param width Hz between two bins
 */
export function melFilters(bands: number, low: number, high: number, width: number): Filter[] {
  const step = (melOf(high) - melOf(low)) / (bands + 1);
  const edge = (i: number) => hertzOf(melOf(low) + i * step);
  return Array.from({ length: bands }, (_, band) => {
    const [left, peak, right] = [edge(band), edge(band + 1), edge(band + 2)];
    const from = Math.floor(left / width) + 1;
    const bins = Math.max(0, Math.ceil(right / width) - from);
    const weights = Float64Array.from({ length: bins }, (_, i) => {
      const hertz = (from + i) * width;
      return hertz <= peak ? (hertz - left) / (peak - left) : (right - hertz) / (right - peak);
    });
    return { from, weights };
  });
}
