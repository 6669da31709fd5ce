import { describe, expect, test } from "vitest";
import {
  formatTime,
  later,
  parseCsv,
  type Spacing,
  spacingName,
  type TimeSeriesOptions,
  timeSeries,
} from "../../src/data.ts";

const read = (rows: readonly string[], options: Partial<TimeSeriesOptions> = {}) =>
  timeSeries(parseCsv(["date,x", ...rows].join("\n"), "a.csv"), {
    date: "date",
    columns: ["x"],
    ...options,
  });
const dated = (...dates: string[]) => dates.map((date, i) => `"${date}",${i}`);

describe("timeSeries", () => {
  test.each<[string, string[], Spacing, string]>([
    ["days", ["2012-02-28", "2012-02-29", "2012-03-01"], { unit: "day", count: 1 }, "daily"],
    ["months", ["1958-03-01", "1958-04-01", "1958-05-01"], { unit: "month", count: 1 }, "monthly"],
    [
      "months without days",
      ["1999-12", "2000-01", "2000-02"],
      { unit: "month", count: 1 },
      "monthly",
    ],
    [
      "ends of months",
      ["2015-01-31", "2015-02-28", "2015-03-31"],
      { unit: "month", count: 1 },
      "monthly",
    ],
    [
      "quarters",
      ["2015-01-15", "2015-04-15", "2015-07-15"],
      { unit: "month", count: 3 },
      "quarterly",
    ],
    ["years", ["1900", "1901", "1902"], { unit: "month", count: 12 }, "yearly"],
    ["weeks", ["2015-12-24", "2015-12-31", "2016-01-07"], { unit: "day", count: 7 }, "weekly"],
    [
      "hours",
      ["2015-01-01 22:00", "2015-01-01 23:00", "2015-01-02 00:00"],
      { unit: "hour", count: 1 },
      "hourly",
    ],
    [
      "minutes",
      ["2015-01-01T00:00Z", "2015-01-01T00:15Z", "2015-01-01T00:30Z"],
      { unit: "minute", count: 15 },
      "every 15 minutes",
    ],
    [
      "seconds",
      ["2015-01-01 00:00:01.5", "2015-01-01 00:00:02", "2015-01-01 00:00:02.5"],
      { unit: "second", count: 0.5 },
      "every 0.5 seconds",
    ],
    [
      "zones",
      ["2015-01-01T01:00+02:00", "2015-01-01T00:00Z", "2015-01-01T00:00-01:00"],
      { unit: "hour", count: 1 },
      "hourly",
    ],
    ["points", ["30.12.2015", "31.12.2015", "1.1.2016"], { unit: "day", count: 1 }, "daily"],
    ["months first", ["12/30/2015", "12/31/2015", "1/1/2016"], { unit: "day", count: 1 }, "daily"],
    ["days first", ["30/12/2015", "31/12/2015", "1/1/2016"], { unit: "day", count: 1 }, "daily"],
    [
      "names",
      ["Dec 1 1999", "January 1, 2000", "Feb. 1 2000"],
      { unit: "month", count: 1 },
      "monthly",
    ],
    [
      "names after days",
      ["30 Dec 1999", "31-Dec-1999", "1 January 2000"],
      { unit: "day", count: 1 },
      "daily",
    ],
  ])("finds the spacing of %s", (_what, dates, spacing, name) => {
    const series = read(dated(...dates));
    expect(series.spacing).toEqual(spacing);
    expect(spacingName(series.spacing)).toBe(name);
    expect([...series.values.x!]).toEqual([0, 1, 2]);
    expect(series.filled).toBe(0);
    // The same moment as the platform reads it, where the platform can.
    const known = dates.map((date) =>
      Date.parse(date.includes("Z") || date.includes("+") ? date : `${date}Z`),
    );
    if (known.every(Number.isFinite)) expect([...series.times]).toEqual(known);
  });

  test("goes on in time from its last date", () => {
    const month = { unit: "month", count: 1 } as const;
    const from = (date: string) =>
      [1, 2, 13].map((n) => new Date(later(Date.parse(date), month, n)).toISOString().slice(0, 10));
    expect(from("2015-01-31")).toEqual(["2015-02-28", "2015-03-31", "2016-02-29"]);
    expect(from("2015-12-15")).toEqual(["2016-01-15", "2016-02-15", "2017-01-15"]);
    const { times, spacing } = read(dated("2012-02-27", "2012-02-28", "2012-02-29"));
    expect(formatTime(later(times.at(-1)!, spacing, 1), spacing)).toBe("2012-03-01");
    expect(formatTime(Date.parse("1958-03-01Z"), month)).toBe("1958-03");
    expect(formatTime(Date.parse("1958-01-01Z"), { ...month, count: 12 })).toBe("1958");
    expect(formatTime(Date.parse("1958-03-31Z"), month)).toBe("1958-03-31");
    expect(formatTime(1000, { unit: "minute", count: 5 })).toBe("1970-01-01 00:00");
  });

  test("fills missing values and rows as it is told", () => {
    const rows = ["2012-01-01,1", "2012-01-02,NA", "2012-01-04,7", "2012-01-05,"];
    const previous = read(rows, { missing: "previous" });
    expect([...previous.values.x!]).toEqual([1, 1, 1, 7, 7]);
    expect(previous.filled).toBe(3);
    const line = read(rows.slice(0, 3), { missing: "interpolate" });
    expect([...line.values.x!]).toEqual([1, 3, 5, 7]);
    expect(line.times).toHaveLength(4);
    expect(formatTime(line.times[2]!, line.spacing)).toBe("2012-01-03");
  });

  test("refuses what is no series, with file, row and column", () => {
    const refused = (rows: readonly string[], options?: Partial<TimeSeriesOptions>) =>
      expect(() => read(rows, options));
    const days = ["2012-01-01,1", "2012-01-02,2"];
    refused([...days, "2012-01-03,cold"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4, x: "cold" is no number]`,
    );
    refused([...days, '2012-01-03,"3,5"']).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4, x: "3,5" is no number; write decimals with a point]`,
    );
    refused([...days, "2012-01-03,1e999"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4, x: "1e999" is no number]`,
    );
    refused([...days, "2012-01-03,"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4, x: the value is missing; "interpolate" or "previous" for missing fills it]`,
    );
    refused([...days, "2012-01-03,NaN"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4, x: the value is missing ("NaN"); "interpolate" or "previous" for missing fills it]`,
    );
    refused([...days, "2012-01-04,3", "2012-01-06,3"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv: a row is missing for 2012-01-03, between row 3 and row 4, and for 2 times in all; "interpolate" or "previous" for missing fills them]`,
    );
    refused([...days, "2012-01-02,3"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4, date: 2012-01-02 comes twice; keep one row for each date]`,
    );
    refused([...days, "2011-12-31,3"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4, date: 2011-12-31 comes after 2012-01-02; sort the rows by date, the oldest first]`,
    );
    refused([...days, "2012-01-03 12:00,3"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4, date: 2012-01-03 12:00 is no whole number of steps after 2012-01-01; expected equally spaced dates]`,
    );
    refused([...days, "2012-02-30,3"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4, date: "2012-02-30" is no date of the form YYYY-MM-DD, as those before it; expected such as 2015-12-31]`,
    );
    refused(["soon,1", ...days]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 2, date: "soon" is no date; expected such as 2015-12-31]`,
    );
    refused([...days, ",3"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4, date: "" is no date of the form YYYY-MM-DD, as those before it; expected such as 2015-12-31]`,
    );
    refused(["1/2/2015,1", "1/3/2015,2", "1/4/2015,2"]).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, date: the dates could be MM/DD/YYYY or DD/MM/YYYY; write them as YYYY-MM-DD]`,
    );
    refused([...days, "2019-01-02,3"], {
      missing: "previous",
    }).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, date: 3 rows for 2559 steps of the smallest distance between dates; expected equally spaced dates]`,
    );
    refused(days).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv has 2 rows below the names; expected a series of at least 3]`,
    );
    refused(days.slice(1)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv has 1 row below the names; expected a series of at least 3]`,
    );
    refused(days, { columns: ["X"] }).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv has no column "X", did you mean "x"? its columns are date, x]`,
    );
    refused(days, { date: "day" }).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv has no column "day"; its columns are date, x]`,
    );
    const ends = ["2012-01-01,", "2012-01-02,2", "2012-01-03,"];
    refused(ends, { missing: "previous" }).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, 2012-01-01, x: nothing is before the missing value; leave the row out]`,
    );
    refused(ends.with(0, "2012-01-01,1"), {
      missing: "interpolate",
    }).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, 2012-01-03, x: nothing is after the missing value; leave the rows out, or fill with "previous"]`,
    );
  });
});

test("options that are none are refused", () => {
  const rows = dated("2020-01-01", "2020-01-02");
  const as = (options: object) => options as Partial<TimeSeriesOptions>;
  expect(() => read(rows, as({ missing: "prev" }))).toThrow(/missing must be "refuse".*got "prev"/);
  expect(() => read(rows, as({ mising: "refuse" }))).toThrow(/did you mean "missing"/);
  expect(() => read(rows, as({ columns: "x" }))).toThrow(/columns must be a list .*got "x"/);
});
