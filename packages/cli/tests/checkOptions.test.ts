import { expect, test } from "vitest";
import { logMel } from "../src/data.ts";
import {
  autoregression,
  bands,
  compare,
  conformal,
  holtWinters,
  recurrent,
  seasonalNaive,
} from "../src/forecast.ts";
import { film, page } from "../src/report.ts";
import { nGram } from "../src/text.ts";

const parts = { season: 1, horizon: 1, validation: 20, test: 30, levels: [0.8] };
const values = Float64Array.from({ length: 40 }, (_, t) => Math.sin(t));

test.each([
  ["bands", (o) => bands({ points: [], forecasts: [], label: "", ...o })],
  ["compare", (o) => compare(values, { ...parts, ...o })],
  ["page", (o) => page({ title: "", facts: [], sections: [], ...o })],
  ["autoregression", (o) => autoregression(values, { maxLag: 2, ...o })],
  ["conformal", (o) => conformal(values, [], { level: 0.8, ...o })],
  ["film", (o) => film({ rows: {}, width: 1, captions: [], ...o })],
  ["holtWinters", (o) => holtWinters(values, { season: 4, ...o })],
  ["logMel", (o) => logMel(Float32Array.of(0), { rate: 8000, ...o })],
  ["nGram", (o) => nGram([0, 1], { order: 1, symbols: 2, ...o })],
  [
    "recurrent",
    (o) => {
      const base = seasonalNaive({ season: 1 });
      return recurrent(values, { base, least: 1, horizon: 1, period: 1, window: 4, ...o });
    },
  ],
  ["seasonalNaive", (o) => seasonalNaive({ season: 2, ...o })],
] satisfies [string, (unknown: object) => unknown][])(
  "%s refuses an unknown option",
  (name, call) => {
    expect(() => call({ windwo: 1 })).toThrow(
      new RegExp(
        `^${name}: there is no option "windwo"(\\.|, did you mean "w.*"\\?) It takes \\w+`,
      ),
    );
  },
);

test("what was likely meant is named", () => {
  expect(() =>
    conformal(values, [], { level: 0.8, windwo: 9 } as never),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: conformal: there is no option "windwo", did you mean "window"? It takes level, window, rate]`,
  );
});
