import { UsageError } from "../command/errors.ts";
import type { TrainOptions } from "./options.ts";
import type { Limits } from "./resume.ts";

/** The options that say who runs which rows. */
type Sharing = Pick<TrainOptions, "batch" | "shards" | "localUpdates" | "data">;

/** Throws a `UsageError` where rows cannot be dealt out as it was asked for. */
export function checkSharing(
  { batch, shards, localUpdates, data }: Sharing,
  { windows }: Pick<Limits, "windows">,
  ranks: number,
): void {
  if (ranks > batch) {
    throw new UsageError(
      `--batch ${batch} gives ${ranks} ranks less than a row each; start fewer ranks, or take a larger batch`,
    );
  }
  if (shards !== undefined && shards % ranks !== 0) {
    throw new UsageError(
      `--shards ${shards} cannot be shared by ${ranks} ranks; start a number of ranks that divides it, or leave it out`,
    );
  }
  // A module has as many rows as it likes.
  if (shards !== undefined && data === undefined && batch % shards !== 0) {
    throw new UsageError(
      `--shards ${shards} does not divide --batch ${batch}; choose another batch, or a smaller number of shards`,
    );
  }
  if (localUpdates !== undefined && windows !== undefined && windows % localUpdates !== 0) {
    throw new UsageError(
      `--windows ${windows} is no multiple of --local-updates ${localUpdates}, and a run ends at an average; take ${Math.ceil(windows / localUpdates) * localUpdates} windows`,
    );
  }
}

/** Throws a `UsageError` for options of averages where there are none. */
export function checkOuter(
  { localUpdates }: Pick<TrainOptions, "localUpdates">,
  given: ReadonlySet<string>,
): void {
  if (localUpdates !== undefined) return;
  for (const [key, flag] of [
    ["outerLr", "--outer-lr"],
    ["outerMomentum", "--outer-momentum"],
  ] as const) {
    if (given.has(key)) {
      throw new UsageError(`${flag} is about averages, and there are none; give --local-updates N`);
    }
  }
}

/** Who runs which rows, as a line for the user; nothing where one process runs all. */
export function sharingLine(
  {
    batch,
    localUpdates: every,
    outerLr,
    outerMomentum,
  }: Pick<TrainOptions, "batch" | "localUpdates" | "outerLr" | "outerMomentum">,
  ranks: number,
): string | undefined {
  const outer = `(outer rate ${outerLr}, momentum ${outerMomentum})`;
  const share = `MPI: ${ranks} ranks share the ${batch} rows`;
  if (every === undefined) return ranks === 1 ? undefined : share;
  const updates = every === 1 ? "after each update" : `every ${every} updates`;
  return ranks === 1
    ? `An outer step ${updates} ${outer}, of this process alone`
    : `${share}, and average ${updates} ${outer}`;
}
