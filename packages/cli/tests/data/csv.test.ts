import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { numbersOf, numericColumns } from "../../src/data/numbers.ts";
import { columnIndex, parseCsv, readCsv } from "../../src/data.ts";
import { folder } from "../files.ts";

const lines = ["date,high,note", '2012-01-01,12.8,"rain, and ""wind"""', "2012-01-02,10.6,"];
const expected = {
  file: "a.csv",
  columns: ["date", "high", "note"],
  rows: [
    { number: 2, cells: ["2012-01-01", "12.8", 'rain, and "wind"'] },
    { number: 3, cells: ["2012-01-02", "10.6", ""] },
  ],
};
const home = folder();
const fileOf = (name: string, contents: string | Uint8Array) => {
  writeFileSync(join(home, name), contents);
  return join(home, name);
};

describe("readCsv", () => {
  test.each([
    ["line ends of Unix", lines.join("\n")],
    ["of Windows, with one at the end", `${lines.join("\r\n")}\r\n`],
    ["of old Macs", lines.join("\r")],
    ["all of them mixed", `${lines[0]}\r\n${lines[1]}\r${lines[2]}\n\r\n`],
    ["a byte-order mark", `\uFEFF${lines.join("\n")}`],
    ["spaces around fields", lines.join("\n").replaceAll(",1", " ,  1")],
  ])("reads %s", async (_what, text) => {
    expect(await readCsv(fileOf("a.csv", text))).toEqual(expected);
  });

  test("reads semicolons and tabs", () => {
    for (const by of [";", "\t"]) {
      const text = ["a", "b", "1,5", "2"].join(by).replace(`b${by}`, "b\n");
      const { columns, rows } = parseCsv(text, "a.csv");
      expect(columns).toEqual(["a", "b"]);
      expect(rows).toEqual([{ number: 2, cells: ["1,5", "2"] }]);
    }
  });

  test("reads one column, and counts empty rows without keeping them", () => {
    const { rows } = parseCsv("x\n1\n\n ,\n3\n\n".replace(" ,", "  "), "a.csv");
    expect(rows.map(({ number }) => number)).toEqual([2, 5]);
  });

  test("refuses what is no such file, in a sentence", async () => {
    const refused = (text: string) => expect(() => parseCsv(text, "a.csv"));
    refused("").toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv is empty; expected names of columns]`,
    );
    refused("\n\r\n").toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv is empty; expected names of columns]`,
    );
    refused("date,high\n").toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv has the columns date, high, and no rows]`,
    );
    refused("a,b\n1,2\n1,2,3\n").toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 3 has 3 fields, expected 2: a, b]`,
    );
    refused("a,b\n1,2\n\n1\n").toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 4 has 1 field, expected 2: a, b]`,
    );
    refused("a,b,a\n1,2,3\n").toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv has the column "a" more than once; rename one]`,
    );
    refused("a,,\n1,2,3\n").toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv has more than one column without a name; name them in the first row]`,
    );
    refused('a,b\n1,"2\n3,4\n').toThrowErrorMatchingInlineSnapshot(
      `[UsageError: a.csv, row 2: a quoted field is not closed; write " inside of one as ""]`,
    );
    await expect(readCsv("nowhere/a.csv")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UsageError: cannot read nowhere/a.csv: there is no such file]`,
    );
    const latin = fileOf("latin.csv", Uint8Array.of(0x61, 0x0a, 0xe9));
    const said = await readCsv(latin).catch(String);
    expect(String(said).replace(latin, "latin.csv")).toMatchInlineSnapshot(
      `"UsageError: cannot read latin.csv: it is not UTF-8 text; save it as "CSV UTF-8""`,
    );
    await expect(readCsv(home)).rejects.toThrow(/cannot read .*: it is a folder, and no file/);
  });
});

test("a column is found by its name, and the nearest one suggested", () => {
  const table = parseCsv("date,temp_max,temp_min\n1,2,3\n", "a.csv");
  expect(columnIndex(table, "temp_max")).toBe(1);
  const refused = (name: string) => expect(() => columnIndex(table, name));
  refused("tempMax").toThrowErrorMatchingInlineSnapshot(
    `[UsageError: a.csv has no column "tempMax", did you mean "temp_max"? its columns are date, temp_max, temp_min]`,
  );
  refused("Date").toThrowErrorMatchingInlineSnapshot(
    `[UsageError: a.csv has no column "Date", did you mean "date"? its columns are date, temp_max, temp_min]`,
  );
  refused("humidity").toThrowErrorMatchingInlineSnapshot(
    `[UsageError: a.csv has no column "humidity"; its columns are date, temp_max, temp_min]`,
  );
});

test("columns of numbers are those most of whose values are numbers", () => {
  const table = parseCsv(
    "day,high,code,few,none\n1 May,NA,0x1F,,\n2 May,3,7,,\n3,4.5e1,x,2,\n",
    "a.csv",
  );
  // 0x1F is no decimal number, so a third of the codes are numbers.
  expect(numericColumns(table)).toEqual(["high", "few"]);
});

test("numbers with separators of thousands are not left out, but refused", () => {
  const written = ["1,234", "1 234", "-1'234.5", "1.234,5", "1\u202f234\u202f567", "12,8"];
  for (const text of written) {
    const table = parseCsv(`a,b\n"${text}",1\n"${text}",2\n`, "a.csv");
    expect(numericColumns(table)).toEqual(["a", "b"]);
    expect(() => numbersOf(table, "a", "refuse")).toThrow(
      /^a.csv, row 2, a: ".*" is no number; write .*decimals with a point$/,
    );
  }
  // A date, a version or a phone number is none.
  const others = parseCsv("a,b,c\n2012-01-01,1.2.3,030 1234\n", "a.csv");
  expect(numericColumns(others)).toEqual([]);
});

test("a device is not read", async () => {
  if (process.platform === "win32") return;
  // It would be read without end.
  await expect(readCsv("/dev/zero")).rejects.toThrow(/it is a device, and no file/);
});

test("names of columns in an error are cut where they are long or many", () => {
  const prose = "The quick brown fox jumps over the lazy dog. ".repeat(100);
  expect(() => parseCsv(prose, "t.txt")).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: t.txt has the columns The quick brown fox jumps over the lazy dog. The quick brown ..., and no rows]`,
  );
  const many = Array.from({ length: 200 }, (_, i) => `column ${i + 1}`).join(",");
  expect(() => parseCsv(many, "wide.csv")).toThrow(
    /column 1, column 2, .* and \d+ more, and no rows$/,
  );
  const table = parseCsv(`${prose}\n1`, "t.txt");
  expect(() => columnIndex(table, "high")).toThrow(/columns are The quick .{40,60} \.\.\.$/);
});
