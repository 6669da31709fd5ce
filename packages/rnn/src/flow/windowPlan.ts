import { textOf } from "../checkDefinition.ts";

/** How a stream is used to choose a window. */
export interface WindowPlan {
  readonly lags: number;
  /** Losses after this step are measured: those before have fewer lags. */
  readonly from: number;
  /** Steps after this one are held out. */
  readonly until: number;
}

interface PlanOptions {
  readonly tolerance: number;
  readonly k1?: number;
  readonly lags?: number;
  readonly heldOut?: number;
}

/** Stretches to measure on, and that are held out. */
const [stretches, held] = [6, 2];

/** Throws a sentence for what no stream could be used for. */
export function checkPlan(where: string, { tolerance, k1, lags, heldOut }: PlanOptions): void {
  for (const [name, share] of Object.entries({ tolerance, heldOut })) {
    if (name === "heldOut" && share === undefined) continue;
    if (typeof share === "number" && share > 0 && share < 1) continue;
    throw new RangeError(
      `${where}: ${name} must be a number between 0 and 1, got ${textOf(share)}`,
    );
  }
  for (const [name, count] of Object.entries({ k1, lags })) {
    if (count === undefined || (Number.isInteger(count) && count >= 1)) continue;
    throw new RangeError(
      `${where}: ${name} must be a whole number of steps of at least 1, got ${textOf(count)}`,
    );
  }
  if (lags !== undefined && k1 !== undefined && lags < k1) {
    throw new RangeError(
      `${where}: lags must be at least k1, since k2 is, got k1 ${k1} and lags ${lags}`,
    );
  }
}

/** Throws a sentence for a stream that is too short. */
export function planOf(
  where: string,
  steps: number,
  { k1 = 1, lags: given, heldOut = 0.25 }: PlanOptions,
): WindowPlan {
  const whole = (n: number) => Math.max(k1, Math.round(n / k1) * k1);
  const until = whole(steps * (1 - heldOut));
  const lags = given ?? Math.min(128, Math.max(k1, 2, Math.floor(until / 4)));
  const from = Math.ceil(lags / k1) * k1;
  if (until - from >= stretches * k1 && steps - until >= held * k1) {
    return { lags, from, until };
  }
  const least = Math.ceil(
    Math.max((from + stretches * k1) / (1 - heldOut), (held * k1) / heldOut) + k1,
  );
  throw new RangeError(
    `${where}: the stream has ${steps} ${steps === 1 ? "step" : "steps"}, too short for ${lags} lags: ${stretches} stretches of k1 ${k1} or more steps follow them, and ${held} are held out; give about ${least} steps or more, or fewer lags`,
  );
}
