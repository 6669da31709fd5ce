import { alone, type Shards } from "./pace.ts";

/** A plan of what computes rows. */
export interface RowPlan<Recorded> {
  readonly recorded: Recorded;
  /** Into how many shards the rows are cut. */
  readonly shards: number;
  /** Why they are not cut, although there are threads. */
  readonly whyAlone: string | undefined;
}

/**
 * Plans what computes rows: for shards of them, or for all at once where these depend on each
 * other, or where a shard cannot be planned.
 *
 * @param whyDependent finds out whether rows depend on each other, and how, in words
 * @param plan gives a plan for each of so many shards, or the reason why there is none
 * @returns the plan, or the reason why there is none for all rows either
 */
export function planRows<Recorded extends object>(
  shards: Shards,
  whyDependent: () => string | undefined,
  plan: (own: Shards) => Recorded | string,
): RowPlan<Recorded> | string {
  let { whyAlone } = shards;
  if (shards.count > 1) {
    whyAlone = whyDependent();
    const recorded = whyAlone ?? plan(shards);
    if (typeof recorded !== "string") return { recorded, shards: shards.count, whyAlone };
    whyAlone = recorded;
  }
  const recorded = plan(alone);
  return typeof recorded === "string" ? recorded : { recorded, shards: 1, whyAlone };
}
