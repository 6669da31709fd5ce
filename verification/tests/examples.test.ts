import { describe, expect, test } from "vitest";

/** A figure of an example, for one seed. */
interface Line {
  readonly what: string;
  readonly seed: number;
  readonly figure: number;
  readonly seconds: number;
}

const script = new URL("../../scripts/examples.mjs", import.meta.url).href;
const { median, parse, rowsOf, withTable } = (await import(script)) as {
  parse(words: readonly string[]): { problem?: string; smoke?: boolean; only?: string[] };
  median(values: readonly number[]): number | undefined;
  rowsOf(
    name: string,
    result: { figures: readonly object[]; seconds: number },
    ours: readonly Line[],
    peers: readonly Line[],
  ): string[][];
  withTable(text: string, rows: readonly (readonly string[])[], note: string): string;
};

describe("npm run examples", () => {
  test("runs all, or those that are named, in one order", () => {
    expect(parse([]).only).toHaveLength(7);
    expect(parse(["video", "music", "--smoke"])).toEqual({ smoke: true, only: ["music", "video"] });
  });

  test("refuses other words in a sentence", () => {
    expect(parse(["musik"]).problem).toMatchInlineSnapshot(
      `"there is no example musik; there are language, forecasting, speech, music, video, images, spelling"`,
    );
    expect(parse(["--somke"]).problem).toMatchInlineSnapshot(
      `"there is no option --somke; there is --smoke"`,
    );
  });

  test("takes the middle of some numbers", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([5]), median([])]).toEqual([
      ...[2, 2.5, 5],
      undefined,
    ]);
  });

  test("puts a figure beside those of several seeds with the same words", () => {
    const figures = [
      { what: "loss", unit: "nats", value: 8.41234, baselines: { silence: 20, chance: 61 } },
    ];
    const ours = [1, 2, 3].map((seed) => ({
      what: "loss",
      seed,
      figure: 8 + seed / 10,
      seconds: 10 * seed,
    }));
    const peers = [{ what: "loss", seed: 1, figure: 8.4, seconds: 40 }];
    const other = { what: "error", seed: 1, figure: 1, seconds: 1 };
    expect(
      rowsOf("music", { figures, seconds: 12.4 }, [...ours, other], [...peers, other]),
    ).toEqual([
      [
        "[music](music/README.md)",
        "loss (nats)",
        "8.412",
        "20 silence, 61 chance",
        "8.2 (3 seeds)",
        "8.4 (seed 1)",
        "0.50",
        "12",
      ],
    ]);
    expect(rowsOf("music", { figures, seconds: 1 }, [], [])[0]!.slice(4, 7)).toEqual(["", "", ""]);
  });

  test("writes a table between its marks, and nothing elsewhere", () => {
    const text = "before <!-- table -->\nold\n<!-- /table --> after";
    const once = withTable(text, [["a", "b"]], "today");
    expect(once).toMatch(
      /^before <!-- table -->\n\n\| example \|.*\n\| --- .*\n\| a \| b \|\n\ntoday\n\n<!-- \/table --> after$/,
    );
    expect(withTable(once, [["a", "b"]], "today")).toBe(once);
    expect(() => withTable("none", [], "")).toThrowErrorMatchingInlineSnapshot(
      `[Error: examples: examples/README.md has no <!-- table --> and <!-- /table -->; put them where the table goes]`,
    );
  });
});
