/** Throws a sentence unless a season is a whole number of steps. */
export function checkSeason(season: number, where: string, least = 1): void {
  if (Number.isSafeInteger(season) && season >= least) return;
  throw new RangeError(
    `${where}: season must be a whole number of at least ${least}, got ${season}`,
  );
}

/** Throws a sentence unless origins have `least` values before them, and the horizon is one. */
export function checkOrigins(
  values: Float64Array,
  origins: readonly number[],
  horizon: number,
  least: number,
  where: string,
): void {
  if (!(Number.isSafeInteger(horizon) && horizon >= 1)) {
    throw new RangeError(`${where}: the horizon must be at least 1 step, got ${horizon}`);
  }
  const wrong = origins.find((t) => !(Number.isSafeInteger(t) && t >= least && t <= values.length));
  if (wrong === undefined) return;
  throw new RangeError(
    `${where}: an origin must be a whole number from ${least}, the values that a forecast needs, to ${values.length}, got ${wrong}`,
  );
}

/** Throws a sentence unless values are finite numbers. */
export function checkValues(values: Float64Array, where: string): void {
  const wrong = values.findIndex((x) => !Number.isFinite(x));
  if (wrong < 0) return;
  throw new RangeError(
    `${where}: values must be finite numbers, got ${values[wrong]} at index ${wrong}; fill what is missing, as timeSeries does`,
  );
}
