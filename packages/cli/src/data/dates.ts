const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** A way to write dates: year, month and day from the parts of a match. */
interface DateFormat {
  readonly name: string;
  readonly pattern: RegExp;
  readonly parts: (match: readonly string[]) => readonly [year: number, month: number, day: number];
}

const monthOf = (name: string) => months.indexOf(name.slice(0, 3).toLowerCase()) + 1;
const numbers = (...texts: readonly (string | undefined)[]) =>
  texts.map((text) => Number(text ?? 1)) as [number, number, number];
const clock = String.raw`(?:[T ,]+(?<hour>\d{1,2}):(?<minute>\d\d)(?::(?<second>\d\d(?:\.\d+)?))?(?:\s*(?<zone>Z|[+-]\d\d:?\d\d))?)?$`;
const format = (name: string, date: string, parts: DateFormat["parts"]): DateFormat => ({
  name,
  pattern: new RegExp(`^${date}${clock}`, "i"),
  parts,
});

/** The formats, of which a column has one. Those with month names take any of English. */
const formats = (): readonly DateFormat[] => [
  format("YYYY-MM-DD", String.raw`(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?`, ([, y, m, d]) =>
    numbers(y, m, d),
  ),
  format("DD.MM.YYYY", String.raw`(\d{1,2})\.(\d{1,2})\.(\d{4})`, ([, d, m, y]) =>
    numbers(y, m, d),
  ),
  format("MM/DD/YYYY", String.raw`(\d{1,2})[/-](\d{1,2})[/-](\d{4})`, ([, m, d, y]) =>
    numbers(y, m, d),
  ),
  format("DD/MM/YYYY", String.raw`(\d{1,2})[/-](\d{1,2})[/-](\d{4})`, ([, d, m, y]) =>
    numbers(y, m, d),
  ),
  format("Mon DD YYYY", String.raw`([a-z]{3,9})\.? (?:(\d{1,2}),? )?(\d{4})`, ([, m, d, y]) =>
    numbers(y, String(monthOf(m!)), d),
  ),
  format("DD Mon YYYY", String.raw`(\d{1,2})[ -]([a-z]{3,9})\.?[ -](\d{4})`, ([, d, m, y]) =>
    numbers(y, String(monthOf(m!)), d),
  ),
];

/** Milliseconds since 1970 in UTC, or NaN for a text of another format, or a day that never was. */
function timeOf(text: string, { pattern, parts }: DateFormat): number {
  const match = pattern.exec(text);
  if (match === null) return Number.NaN;
  const [year, month, day] = parts(match);
  const { hour = "0", minute = "0", second = "0", zone = "Z" } = match.groups ?? {};
  const midnight = new Date(Date.UTC(year, month - 1, day));
  const isReal = midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day;
  if (!isReal || Number(hour) > 23 || Number(minute) > 59 || Number(second) >= 60)
    return Number.NaN;
  const [, sign, hours, minutes] = /([+-])(\d\d):?(\d\d)/.exec(zone) ?? [];
  const offset = sign === undefined ? 0 : Number(`${sign}1`) * (60 * +hours! + +minutes!);
  const inMinutes = 60 * Number(hour) + Number(minute) - offset;
  return midnight.getTime() + 60_000 * inMinutes + 1000 * Number(second);
}

/** What became of a column of dates: their times, or what is wrong. */
export type ParsedDates =
  | { readonly times: Float64Array }
  | { readonly wrong: number; readonly tried: string }
  | { readonly ambiguous: readonly string[] };

/**
 * Dates as milliseconds since 1970 in UTC. All of them have one format: that which fits. Where days
 * and months could be exchanged throughout, the answer is that two formats fit; where none does,
 * which date was the first that is wrong in the format that gets furthest.
 */
export function parseDates(texts: readonly string[]): ParsedDates {
  const tried = formats().map((each) => {
    const times = Float64Array.from(texts, (text) => timeOf(text, each));
    const wrong = times.findIndex(Number.isNaN);
    return { name: each.name, times, wrong: wrong < 0 ? texts.length : wrong };
  });
  const fitting = tried.filter(({ wrong }) => wrong === texts.length);
  const [first, second] = fitting;
  if (first === undefined) {
    const furthest = tried.reduce((a, b) => (b.wrong > a.wrong ? b : a));
    return { wrong: furthest.wrong, tried: furthest.name };
  }
  const isSame = second?.times.every((time, i) => time === first.times[i]) ?? true;
  return isSame ? { times: first.times } : { ambiguous: fitting.map(({ name }) => name) };
}
