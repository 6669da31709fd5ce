import { Region, within } from "@chronograd/autodiff/internal";

/**
 * Carries a value over the steps of a trajectory from the last to the first. What is made at a step
 * lives until the next one has been made from it.
 */
export function backwards<At, Carried>(
  where: string,
  trajectory: readonly At[],
  last: Carried,
  body: (at: At, carried: Carried) => Carried,
): void {
  let carried = last;
  let region = new Region();
  try {
    for (const at of [...trajectory].reverse()) {
      const before = region;
      region = new Region();
      try {
        carried = within(region, () => body(at, carried));
      } finally {
        before.end(`${where} has gone on`);
      }
    }
  } finally {
    region.end(`${where} has returned`);
  }
}
