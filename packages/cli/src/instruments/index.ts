import { bias } from "./bias.ts";
import { fixed } from "./fixed.ts";
import { gates } from "./gates.ts";
import { gradients } from "./gradients.ts";
import type { Instrument } from "./instrument.ts";
import { lags } from "./lags.ts";
import { lyapunov } from "./lyapunov.ts";
import { memory } from "./memory.ts";
import { spectra } from "./spectra.ts";
import { window } from "./window.ts";

/** The name of an instrument, as `--only` takes it. */
export type InstrumentName =
  | "lyapunov"
  | "lags"
  | "window"
  | "bias"
  | "gradients"
  | "spectra"
  | "gates"
  | "memory"
  | "fixed";

/** All instruments, in the order of the page. */
export const instruments: Readonly<Record<InstrumentName, Instrument>> = {
  ...{ lyapunov, lags, window, bias, gradients, spectra, gates, memory, fixed },
};

/** The names of all instruments. */
export const instrumentNames: readonly InstrumentName[] = Object.keys(
  instruments,
) as InstrumentName[];
