import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { rng } from "@chronograd/nn";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCommand } from "../../src/command.ts";
import { forecast } from "../../src/commands/forecast.ts";

const back = process.cwd();
let out = "";
let error = "";
beforeEach(() => {
  process.chdir(mkdtempSync(`${tmpdir()}/forecast-`));
  [out, error] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  vi.spyOn(console, "error").mockImplementation((text) => {
    error += text;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.chdir(back);
});

const random = rng(9);
const hourly = Array.from({ length: 200 }, (_, t) => {
  const time = new Date(Date.UTC(2020, 0, 1, t)).toISOString().slice(0, 16);
  return `${time},${(20 + 3 * Math.sin((t * Math.PI) / 12) + 0.3 * random.normal()).toFixed(3)}`;
});
const file = (lines: readonly string[], name = "load.csv") => {
  writeFileSync(name, lines.join("\n"));
  return name;
};
const budget = ["--members", "1", "--epochs", "1"];

describe("chronograd forecast", () => {
  test("forecasts any file with dates and numbers, and leaves a folder that is complete", async () => {
    const name = file(["time,load", ...hourly]);
    const words = [name, ...budget, "--horizon", "3", "--quantiles", "0.5,0.9", "--name", "first"];
    expect(await runCommand(forecast, [...words, "--json"])).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ run: "runs/first", season: 24, horizon: 3 });
    expect(result.forecast.map((step: { date: string }) => step.date)).toEqual([
      "2020-01-09 08:00",
      "2020-01-09 09:00",
      "2020-01-09 10:00",
    ]);
    // The wave after 200 hours, within a few deviations of its noise.
    result.forecast.forEach(({ mean }: { mean: number }, h: number) => {
      expect(Math.abs(mean - 20 - 3 * Math.sin(((200 + h) * Math.PI) / 12))).toBeLessThan(1);
    });
    expect(readdirSync("runs/first").sort()).toEqual([
      "forecast.csv",
      "forecast.svg",
      "metrics.jsonl",
      "report.html",
      "run.json",
    ]);
    const [head, ...lines] = readFileSync("runs/first/forecast.csv", "utf8").trim().split("\n");
    expect(head).toBe(
      "date,forecast,lower_95,upper_95,lower_80,upper_80,quantile_0.5,quantile_0.9",
    );
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      const [mean, low95, high95, low80, high80, half, q90] = line
        .split(",")
        .slice(1)
        .map(Number) as [number, number, number, number, number, number, number];
      expect([low95, low80, mean, high80, high95]).toEqual(
        [low95, low80, mean, high80, high95].sort((a, b) => a - b),
      );
      // The middle of a symmetric interval; and 80 % of values between the quantiles 0.1 and 0.9.
      expect([half, q90]).toEqual([mean, high80]);
    }
    // Nothing is overwritten unless it is asked for.
    expect(await runCommand(forecast, words)).toBe(2);
    expect(error).toMatchInlineSnapshot(
      `"forecast: --name: runs/first exists already; choose another name, or give --force"`,
    );
    expect(await runCommand(forecast, [...words, "--force"])).toBe(0);
    expect(out).toMatch(
      /Held out, 3 steps ahead from each of 38 origins, RMSE:\n {2}recurrent +\d/,
    );
  });

  test("one step, in days, with the one interval that few errors allow", async () => {
    const days = Array.from({ length: 99 }, (_, t) => {
      const day = new Date(Date.UTC(2020, 0, 1 + t)).toISOString().slice(0, 10);
      return `${day},${(1e6 * random.normal()).toFixed(0)}`;
    });
    const words = [
      file(["day,sold", ...days]),
      ...budget,
      "--horizon",
      "1",
      "--season",
      "1",
      "--held-out",
      "18",
    ];
    expect(await runCommand(forecast, words)).toBe(0);
    expect(out).toMatch(/no season/);
    expect(out).toMatch(/Intervals of 80 % held/);
    expect(out).not.toMatch(/Intervals of 95 %/);
    expect(readFileSync("runs/forecast-1/forecast.svg", "utf8")).toMatch(/stroke-width="5"/);
  });

  test.each<[string, readonly string[], readonly string[]]>([
    ["a file that is not there", [], ["nowhere.csv"]],
    ["a column that is not there", ["date,Load", ...hourly], ["load.csv", "--column", "load"]],
    ["several columns", ["date,a,b", ...hourly.map((line) => `${line},1`)], ["load.csv"]],
    ["no dates", ["a,b", "x,1", "y,2", "z,3"], ["load.csv"]],
    ["no numbers", ["date,b", "2020-01-01,x", "2020-01-02,y"], ["load.csv"]],
    ["the dates as numbers", ["date,b", ...hourly], ["load.csv", "--column", "date"]],
    [
      "a missing value",
      ["date,b", ...hourly.slice(0, 9), hourly[9]!.replace(/,.*/, ",")],
      ["load.csv", "--column", "b"],
    ],
    ["too few rows", ["date,b", ...hourly.slice(0, 40)], ["load.csv"]],
    ["a horizon that is too long", ["date,b", ...hourly], ["load.csv", "--horizon", "90"]],
    ["a season that is too long", ["date,b", ...hourly], ["load.csv", "--season", "90"]],
    [
      "intervals that are too wide",
      ["date,b", ...hourly],
      ["load.csv", "--horizon", "3", "--interval", "99.9"],
    ],
    ["an interval that is none", ["date,b", ...hourly], ["load.csv", "--interval", "120"]],
  ])("refuses %s", async (_what, lines, words) => {
    if (lines.length > 0) file(lines);
    expect(await runCommand(forecast, words)).toBe(2);
    expect(error.replace(/\n+$/, "")).toMatchSnapshot();
    expect(existsSync("runs")).toBe(false);
  });
});
