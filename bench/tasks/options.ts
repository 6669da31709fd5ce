import { parseArgs } from "node:util";
import { table } from "./table.ts";

export interface Options {
  /** Names of tasks; empty for all. */
  readonly only: readonly string[];
  /** Parts of names of estimators; empty for all. */
  readonly estimators: readonly string[];
  /** Two batches of each, only to see that everything runs. */
  readonly smoke: boolean;
  readonly seed: number;
  /** Where to write, unless the usual place. */
  readonly out: string | undefined;
}

/** A mistake in how the command was called. */
export class UsageError extends Error {}

export const help = `npm run tasks -- [options]

  --only <names>       only these tasks, with commas between: ${table.map(({ name }) => name).join(", ")}
  --estimator <names>  only estimators whose name has one of these in it, such as full,rtrl
  --smoke              two batches of each, in seconds: shows that everything runs
  --seed <n>           of everything that is drawn (1)
  --out <file>         where to write the results: what was run takes the place of what stands there.
                       Unless given, bench/tasks/results.json, with pictures; nowhere with --smoke`;

/** Reads the command line; `undefined` when it asks for help. */
export function parseOptions(args: readonly string[]): Options | undefined {
  let values: { readonly [name: string]: string | boolean | undefined };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        only: { type: "string" },
        estimator: { type: "string" },
        smoke: { type: "boolean" },
        seed: { type: "string" },
        out: { type: "string" },
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (values.help === true) return undefined;
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const list = (name: string): string[] => text(name)?.split(",").filter(Boolean) ?? [];
  const only = list("only");
  for (const name of only) {
    if (table.some((row) => row.name === name)) continue;
    const known = table.map((row) => row.name).join(", ");
    throw new UsageError(`--only: expected some of ${known}, got ${name}`);
  }
  const seed = Number(text("seed") ?? 1);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new UsageError(`--seed must be a whole number of at least 0, got ${text("seed")}`);
  }
  const estimators = list("estimator").map((name) => name.toLowerCase());
  return { only, estimators, smoke: values.smoke === true, seed, out: text("out") };
}
