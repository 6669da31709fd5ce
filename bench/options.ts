import { parseArgs } from "node:util";
import { systems } from "./systems.ts";

export interface Options {
  readonly quick: boolean;
  /** A part of a case's name; empty for all. */
  readonly filter: string;
  /** Names of systems; empty for all. */
  readonly only: readonly string[];
  readonly rounds: number;
  /** Where to write, unless the usual place. */
  readonly out: string | undefined;
}

export const help = `npm run bench -- [options]

  --quick          fewer cases and rounds: under two minutes once the peers are there
  --case <text>    only cases whose name has this in it, such as lstm-128x32, gru, minibatch, start, ranks, gemm, conv, overhead, growth
  --only <names>   only these systems, with commas between: ${systems.map(({ name }) => name).join(", ")}
  --rounds <n>     how often each system has its turn (11; 3 with --quick)
  --out <file>     where to write the JSON (bench/results/latest.json; partial.json there with --case or --only)`;

/** A mistake in how the benchmark was called. */
export class UsageError extends Error {}

/** Reads the command line; `undefined` when it asks for help. */
export function parseOptions(args: readonly string[]): Options | undefined {
  let values: { [name: string]: string | boolean | undefined };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        quick: { type: "boolean" },
        case: { type: "string" },
        only: { type: "string" },
        rounds: { type: "string" },
        out: { type: "string" },
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (values.help === true) return undefined;
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const quick = values.quick === true;
  const rounds = Number(text("rounds") ?? (quick ? 3 : 11));
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new UsageError(`--rounds must be a whole number of at least 1, got ${text("rounds")}`);
  }
  const only = text("only")?.split(",") ?? [];
  for (const name of only) {
    if (systems.some((system) => system.name === name)) continue;
    const known = systems.map((system) => system.name).join(", ");
    throw new UsageError(`--only: expected some of ${known}, got ${name}`);
  }
  return { quick, filter: text("case") ?? "", only, rounds, out: text("out") };
}
