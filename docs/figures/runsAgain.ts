import { forwardRuns } from "./forwardRuns.ts";

/** How often a step runs again on average: a row for each number of kept states. */
export interface Costs {
  readonly lengths: readonly number[];
  readonly rows: readonly { readonly states: number; readonly texts: readonly string[] }[];
}

/** The price of the binomial schedule, for sequences of several lengths. */
export function runsAgain(lengths: readonly number[], states: readonly number[]): Costs {
  const textOf = (length: number, kept: number) => {
    const times = forwardRuns(length, kept) / length;
    return times >= 100 ? Math.round(times).toLocaleString("en") : times.toPrecision(2);
  };
  return {
    lengths,
    rows: states.map((kept) => ({
      states: kept,
      texts: lengths.map((length) => textOf(length, kept)),
    })),
  };
}
