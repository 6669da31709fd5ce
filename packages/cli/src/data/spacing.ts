/** The distance from one time of a series to the next: a row where there are no dates. */
export interface Spacing {
  readonly unit: "second" | "minute" | "hour" | "day" | "month" | "row";
  /** How many units; a quarter is 3 months, a week 7 days. */
  readonly count: number;
}

const second = 1000;
const [minute, hour, day] = [60 * second, 3600 * second, 86_400 * second];
const milliseconds = { second, minute, hour, day, row: 1 } as const;

/** Months since the year 0. */
const monthOf = (time: number) => {
  const date = new Date(time);
  return 12 * date.getUTCFullYear() + date.getUTCMonth();
};
/** The time within its month, in milliseconds; the last day of a month counts from the end. */
const startOfMonth = (month: number) => Date.UTC(Math.floor(month / 12), ((month % 12) + 12) % 12);
const sinceStart = (time: number) => time - startOfMonth(monthOf(time));
const untilEnd = (time: number) => startOfMonth(monthOf(time) + 1) - time;

const isConstant = (values: readonly number[]) => values.every((value) => value === values[0]);
const differences = (values: readonly number[]) =>
  values.slice(1).map((value, i) => value - values[i]!);

/** The time `steps` after another. */
export function later(time: number, { unit, count }: Spacing, steps: number): number {
  if (unit !== "month") return time + steps * count * milliseconds[unit];
  const month = monthOf(time) + steps * count;
  const length = startOfMonth(month + 1) - startOfMonth(month);
  const isLast = untilEnd(time) <= day && sinceStart(time) >= 27 * day;
  return isLast
    ? startOfMonth(month + 1) - untilEnd(time)
    : startOfMonth(month) + Math.min(sinceStart(time), length - day);
}

/**
 * The spacing of ascending times, and how many steps each is after the first. Gaps are whole
 * numbers of steps; the first time that is none is given as `uneven`.
 */
export function spacingOf(
  times: readonly number[],
): { readonly spacing: Spacing; readonly steps: readonly number[] } | { readonly uneven: number } {
  const inMonths = times.map(monthOf);
  const ofMonths = differences(inMonths);
  const areMonths = isConstant(times.map(sinceStart)) || isConstant(times.map(untilEnd));
  if (areMonths && ofMonths.every((months) => months > 0)) {
    const count = Math.min(...ofMonths);
    return whole(inMonths, count, { unit: "month", count });
  }
  const smallest = differences(times).reduce((a, b) => Math.min(a, b));
  const unit =
    (["day", "hour", "minute"] as const).find((name) => smallest % milliseconds[name] === 0) ??
    ("second" as const);
  const spacing: Spacing = { unit, count: smallest / milliseconds[unit] };
  return whole(times, smallest, spacing);
}

function whole(at: readonly number[], step: number, spacing: Spacing) {
  const steps = at.map((value) => (value - at[0]!) / step);
  const uneven = steps.findIndex((value) => !Number.isInteger(value));
  return uneven < 0 ? { spacing, steps } : { uneven };
}

/**
 * A time as short as its series needs it: "1880", "1958-03", "2012-01-01", or with a clock; of
 * rows, their number.
 */
export function formatTime(time: number, { unit, count }: Spacing): string {
  if (unit === "row") return String(time);
  const text = new Date(time).toISOString();
  if (unit === "month" && sinceStart(time) === 0) {
    return count % 12 === 0 && text.slice(5, 7) === "01" ? text.slice(0, 4) : text.slice(0, 7);
  }
  return unit === "month" || unit === "day"
    ? text.slice(0, 10)
    : text.slice(0, unit === "second" ? 19 : 16).replace("T", " ");
}

/** "monthly", "daily", "every 15 minutes". */
export function spacingName({ unit, count }: Spacing): string {
  if (unit === "row") return "a value for each row";
  if (count !== 1) {
    const known = { "month 3": "quarterly", "month 12": "yearly", "day 7": "weekly" };
    return known[`${unit} ${count}` as keyof typeof known] ?? `every ${count} ${unit}s`;
  }
  return unit === "day"
    ? "daily"
    : unit === "month" || unit === "hour"
      ? `${unit}ly`
      : `every ${unit}`;
}
