import { bias } from "./bias.ts";
import { fixed } from "./fixed.ts";
import { gates } from "./gates.ts";
import { gradients } from "./gradients.ts";
import type { Instrument } from "./instrument.ts";
import { lags } from "./lags.ts";
import { lyapunov } from "./lyapunov.ts";
import { memory } from "./memory.ts";
import { spectra } from "./spectra.ts";

/** All instruments, in the order of the page. */
export const instruments = {
  lyapunov,
  lags,
  bias,
  gradients,
  spectra,
  gates,
  memory,
  fixed,
} as const satisfies Readonly<Record<string, Instrument>>;

/** The name of an instrument, as `--only` takes it. */
export type InstrumentName = keyof typeof instruments;

/** The names of all instruments. */
export const instrumentNames = Object.keys(instruments) as readonly InstrumentName[];
