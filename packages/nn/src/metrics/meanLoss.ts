import { shown } from "../checks.ts";

/** Losses, added up, over a number of symbols. @internal */
export function meanLoss(where: string, losses: ArrayLike<number>, symbols: number): number {
  if (typeof losses !== "object" || typeof losses?.length !== "number") {
    throw new TypeError(
      `${where}: losses must be a list of numbers, in nats, got ${shown(losses)}; one number goes into a list, as in ${where}([total], symbols)`,
    );
  }
  if (!(Number.isFinite(symbols) && symbols > 0)) {
    throw new RangeError(
      `${where}: losses are divided by how many symbols they are of, a finite number above 0, got ${shown(symbols)}`,
    );
  }
  let sum = 0;
  for (let i = 0; i < losses.length; i++) sum += losses[i]!;
  return sum / symbols;
}
