import { UsageError } from "../../command/errors.ts";

/** What the parts of a series depend on. */
export interface SplitOptions {
  readonly season: number;
  readonly horizon: number;
  readonly heldOut?: number | undefined;
  readonly levels: readonly number[];
  readonly quantiles: readonly number[];
}

/** Where the parts of a series begin that calibrate, and that test: as long as each other. */
export function splitOf(
  file: string,
  length: number,
  { season, horizon, heldOut, levels, quantiles }: SplitOptions,
): { readonly validation: number; readonly test: number } {
  const part = heldOut ?? Math.max(2 * horizon, Math.round(length / 5));
  const [validation, test] = [length - 2 * part, length - part];
  // As many windows as the network needs, after the lags and the window, a quarter of the part.
  const least = Math.ceil((horizon + 40) / 0.7);
  if (validation < least) {
    throw new UsageError(
      `${file} has ${length} values, of which ${Math.max(0, validation)} are left to train on, expected at least ${least}; give a smaller --horizon or --held-out`,
    );
  }
  if (part < horizon) {
    throw new UsageError(`--held-out: ${part} steps are less than the horizon of ${horizon}`);
  }
  if (season > 1 && test < 2 * season + 17) {
    throw new UsageError(
      `--season: ${season} steps need ${2 * season + 17} values before those that are held out, got ${test}; give a shorter one, or 1 for none`,
    );
  }
  const scores = part - horizon + 1;
  const highest = Math.max(...levels, ...quantiles.map((q) => Math.abs(2 * q - 1)));
  if (Math.ceil((scores + 1) * highest - 1e-9) > scores) {
    throw new UsageError(
      `${file}: intervals of ${Number((100 * highest).toFixed(4))} % need more than the ${scores} errors that calibrate them; give a lower --interval or a larger --held-out`,
    );
  }
  return { validation, test };
}
