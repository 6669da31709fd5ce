import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { evaluate } from "../../src/commands/evaluate.ts";
import { train } from "../../src/commands/train.ts";
import { run } from "../run.ts";
import { workFolder } from "./scratch.ts";

workFolder();

const small = "--cell gru --hidden 8 --batch 4 --k1 10 --k2 10 --lr 0.02".split(" ");
const wave = (rows: number) =>
  Array.from({ length: rows }, (_, i) => {
    const [high, low] = [20 + 5 * Math.sin(i / 4), 3 * Math.cos(i / 4)];
    return `2020-${i},${high.toFixed(4)},${low.toFixed(4)},sun`;
  });
const table = (rows: readonly string[]) => ["day,high,low,sky", ...rows].join("\n");

test("the columns of numbers are predicted better than by their last values", async () => {
  writeFileSync("wave.csv", table(wave(300)));
  const { code, out } = await run(
    train,
    ...["--csv", "wave.csv", ...small, "--windows", "250", "--name", "wave", "--json"],
  );
  expect(code).toBe(0);
  const { figures, heldOut } = JSON.parse(out) as {
    figures: { what: string; value: number; baselines: Record<string, number> }[];
    heldOut: number;
  };
  expect(figures.map(({ what }) => what)).toEqual([
    "held-out error of high, one row ahead",
    "held-out error of low, one row ahead",
  ]);
  const [high] = figures as [(typeof figures)[number]];
  expect(high.value).toBeLessThan(0.5 * high.baselines["last value"]!);
  // The last value's error from the numbers themselves: those of the last fifth.
  const truth = wave(300).map((row) => Number(row.split(",")[1]));
  const squares = truth.slice(240).map((value, i) => (value - truth[239 + i]!) ** 2);
  const last = Math.sqrt(squares.reduce((a, b) => a + b) / 60);
  expect(Math.abs(high.baselines["last value"]! - last)).toBeLessThan(1e-5);
  expect(readFileSync("runs/wave/report.html", "utf8").match(/<svg/g)).toHaveLength(5);

  const again = await run(evaluate, "runs/wave", "--json");
  expect((JSON.parse(again.out) as { loss: number }).loss).toBe(heldOut);
});

test("what is wrong in a file is told with row and column", async () => {
  const said = async (text: string, ...args: string[]) => {
    writeFileSync("bad.csv", text);
    const { code, err } = await run(train, "--csv", "bad.csv", ...small, ...args);
    expect(code).toBe(2);
    return err.trim();
  };
  const rows = wave(20);
  expect(await said(table(rows), "--columns", "hihg")).toMatchInlineSnapshot(
    `"train: bad.csv has no column "hihg"; its columns are day, high, low, sky"`,
  );
  expect(await said(table(rows), "--columns", "sky")).toMatchInlineSnapshot(
    `"train: bad.csv, row 2, sky: "sun" is no number"`,
  );
  expect(
    await said(table([...rows.slice(0, 7), "2020-7,,1,sun", ...rows.slice(8)])),
  ).toMatchInlineSnapshot(
    `"train: bad.csv, row 9, high: the value is missing; "interpolate" or "previous" for missing fills it"`,
  );
  expect(await said(table(rows.slice(0, 5)))).toMatchInlineSnapshot(
    `"train: bad.csv has 5 rows of numbers, too few to learn from and to hold some out; expected at least 10"`,
  );
  expect(await said("day,sky\nmonday,blue\n")).toMatchInlineSnapshot(
    `"train: bad.csv has no column of numbers; its columns are day, sky; --columns names those to take"`,
  );
});
