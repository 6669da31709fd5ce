import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tensor } from "@chronograd/autodiff";
import { init } from "@chronograd/nn";
import { defineCell } from "@chronograd/rnn";
import { beforeAll, expect, test } from "vitest";
import { forecast } from "../../src/commands/forecast.ts";
import { train } from "../../src/commands/train.ts";
import { rollOut } from "../../src/tasks/csv/rollOut.ts";
import { loadSeries } from "../../src/tasks/csv/table.ts";
import { run } from "../run.ts";
import { small, workFolder } from "../train/scratch.ts";

workFolder();

const day = (t: number) => new Date(Date.UTC(2020, 0, 1 + t)).toISOString().slice(0, 10);
const high = (t: number) => 20 + 5 * Math.sin((2 * Math.PI * t) / 12);
const rows = (count: number, dated = true) =>
  Array.from({ length: count }, (_, t) => {
    const low = Math.cos((2 * Math.PI * t) / 12).toFixed(6);
    return `${dated ? day(t) : "x"},${high(t).toFixed(6)},${low}`;
  });
const write = (name: string, lines: readonly string[], head = "day,high,low") =>
  writeFileSync(name, [head, ...lines].join("\n"));
const flags = "--hidden 12 --batch 4 --k1 12 --k2 12 --lr 0.03 --warmup 1".split(" ");

beforeAll(async () => {
  write("wave.csv", rows(300));
  const budget = ["--csv", "wave.csv", ...flags, "--windows", "300", "--name", "wave"];
  expect((await run(train, ...budget)).code).toBe(0);
});

test("a model is fed with its own predictions, from each origin the state that the rows before gave", async () => {
  write("line.csv", ["1,5", "2,7", "4,6", "8,9", "16,4", ...Array(10).fill("3,3")], "a,b");
  const series = await loadSeries({ csv: "line.csv", missing: "refuse" });
  // The n-th row that it reads changes by n + 1, and by half of the first column.
  const counting = defineCell({
    params: () => ({ one: init.constant(1, 1) }),
    state: () => ({ count: init.zeros(1) }),
    step: (
      { one }: { one: ReturnType<typeof tensor> },
      x: ReturnType<typeof tensor>,
      { count },
    ) => {
      const next = count.add(one);
      const a = x.slice([null, [0, 1]] as never).mul(0.5);
      return [next.add(a).broadcastTo(x.shape), { count: next }];
    },
  })({ input: 2, hidden: 1 });
  const params = { one: tensor([1], { dtype: "float32" }) };
  const [origins, steps] = [[1, 3, 4, 15], 6];
  const found = rollOut({ model: counting, params } as never, series, origins, steps);
  const scaled = (row: number[]) =>
    row.map((x, c) => (x - series.means[c]!) / series.deviations[c]!);
  for (const [i, origin] of origins.entries()) {
    let now = scaled(series.values.map((column) => column[origin - 1]!));
    for (let h = 0; h < steps; h++) {
      const change = origin + h + 0.5 * now[0]!;
      now = now.map((x) => x + change);
      for (const c of [0, 1]) {
        const expected = series.means[c]! + series.deviations[c]! * now[c]!;
        expect(Math.abs(found[i]![c]![h]! / expected - 1)).toBeLessThan(1e-5);
      }
    }
  }
});

test("a run goes on from its end, with intervals from held-out rows", async () => {
  const words = ["runs/wave", "--column", "high", "--steps", "12", "--quantiles", "0.9"];
  const { code, out } = await run(forecast, ...words, "--name", "next", "--json");
  expect(code).toBe(0);
  const result = JSON.parse(out);
  expect(result).toMatchObject({ run: "runs/next", season: 12, horizon: 12 });
  expect(result.forecast).toHaveLength(12);
  for (const [h, { date, mean, intervals }] of result.forecast.entries()) {
    expect(date).toBe(day(300 + h));
    expect(Math.abs(mean - high(300 + h))).toBeLessThan(1.5);
    const [wide, narrow] = intervals;
    expect([wide.level, narrow.level]).toEqual([0.95, 0.8]);
    const ends = [wide.lower, narrow.lower, mean, narrow.upper, wide.upper];
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
  }
  expect(Object.keys(result.rmse)).toEqual(
    expect.arrayContaining(["wave", "seasonal-naive", "Holt-Winters"]),
  );
  expect(result.rmse.wave).toBeLessThan(1.5);
  // Of a noiseless wave the errors repeat, so the intervals hold nearly all of them.
  for (const { coverage, level } of result.coverage) expect(coverage).toBeGreaterThan(level - 0.1);
  expect(readdirSync("runs/next").sort()).toEqual([
    "forecast.csv",
    "forecast.svg",
    "report.html",
    "run.json",
  ]);
  const [head, first] = readFileSync("runs/next/forecast.csv", "utf8").split("\n");
  expect(head).toBe("date,forecast,lower_95,upper_95,lower_80,upper_80,quantile_0.9");
  expect(first).toMatch(/^2020-10-27,/);
});

test("another file has the last word, rows without dates are numbered", async () => {
  write("longer.csv", rows(331, false));
  const words = ["runs/wave", "--column", "low", "--steps", "2", "--csv", "longer.csv"];
  const { code, out } = await run(forecast, ...words);
  expect(code).toBe(0);
  expect(out).toMatch(/longer.csv, low: 331 values, a value for each row, 2 to 332;/);
  expect(out).toMatch(/\n {2}333 {2}.*\n {2}334 {2}/);
  const [head, line] = readFileSync("runs/forecast-1/forecast.csv", "utf8").split("\n");
  expect(`${head} ${line}`).toMatch(/^row,forecast,.* 333,/);
  // Dates that are not equally spaced are told.
  write("gap.csv", rows(300).toSpliced(7, 1));
  const gap = await run(forecast, ...words.slice(0, -1), "gap.csv");
  expect(gap.out).toMatch(
    /Rows are numbered, because of their dates: gap.csv, day: 1 date is missing/,
  );
});

test("a held-out part that is too short gives no intervals, and says so", async () => {
  const words = ["runs/wave", "--column", "high", "--steps", "61"];
  const { code, out } = await run(forecast, ...words);
  expect(code).toBe(0);
  expect(out).toMatch(/The held-out part has 60 rows, too few for intervals of 61 steps/);
  expect(out).not.toMatch(/RMSE|\[/);
  const { code: refused, err } = await run(forecast, ...words, "--interval", "80");
  expect(`${refused} ${err.trim()}`).toMatchInlineSnapshot(
    `"2 forecast: wave.csv: intervals of 80 % need more than the 0 errors that calibrate them; give a lower --interval or fewer --steps"`,
  );
});

test("what cannot go on is refused in a sentence", async () => {
  await run(train, "--text", "rhyme.txt", ...small, "--windows", "1", "--name", "text");
  const said = async (...words: string[]) => {
    const { code, err } = await run(forecast, ...words);
    return `${code} ${err.trim()}`;
  };
  const sentences = [
    await said("runs/wave"),
    await said("runs/wave", "--column", "hihg"),
    await said("runs/wave", "--column", "high", "--horizon", "3"),
    await said("runs/wave", "--column", "high", "--epochs", "3"),
    await said("runs/wave", "--column", "high", "--season", "200"),
    await said("runs/wave", "--column", "high", "--date", "low"),
    await said("wave.csv", "--column", "high", "--steps", "3"),
    await said("runs/text"),
    await said("runs"),
  ];
  write("wave.csv", rows(299));
  sentences.push(await said("runs/wave", "--column", "high"));
  write("wave.csv", rows(300));
  expect(sentences).toMatchInlineSnapshot(`
    [
      "2 forecast: runs/wave predicts 2 columns; choose one with --column: high, low",
      "2 forecast: --column: runs/wave predicts no "hihg"; it predicts high, low",
      "2 forecast: --horizon is about a CSV file, and runs/wave is a run, which is trained already; give --steps",
      "2 forecast: --epochs is about a CSV file, and runs/wave is a run, which is trained already; leave it out",
      "2 forecast: --season: 200 steps need 417 values before those that are held out, got 240; give a shorter one, or 1 for none",
      "2 forecast: wave.csv, row 2, low: "1.000000" is no date; expected such as 2015-12-31",
      "2 forecast: --steps is about a run, and wave.csv is a file; give --horizon",
      "2 forecast: runs/text is a run on a text; chronograd generate runs/text goes on with it",
      "2 forecast: runs is not the folder of a run: there is no run.json; \`chronograd runs\` lists the runs",
      "2 forecast: wave.csv has other data than runs/wave has learnt; restore it, or name the file with --csv",
    ]
  `);
});
