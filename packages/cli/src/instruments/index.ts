import type { Instrument } from "./instrument.ts";
import { lags } from "./lags.ts";

/** All instruments, in the order of the page. */
export const instruments = { lags } as const satisfies Readonly<Record<string, Instrument>>;

/** The name of an instrument, as `--only` takes it. */
export type InstrumentName = keyof typeof instruments;

/** The names of all instruments. */
export const instrumentNames = Object.keys(instruments) as readonly InstrumentName[];
