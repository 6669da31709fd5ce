import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zeros } from "@chronograd/autodiff";
import { gru, lstm } from "@chronograd/rnn";
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { tape } from "../../src/commands/tape.ts";
import type { PlainCell } from "../../src/modules/loadCell.ts";
import { drawTape } from "../../src/tape/draw.ts";
import { recordSteps } from "../../src/tape/record.ts";
import { folder, write } from "../files.ts";
import { run } from "../run.ts";

const home = folder();
const at = write(home, {
  "lstm.ts": 'import { lstm } from "@chronograd/rnn";\nexport default lstm;\n',
  "minGru.ts": 'import { minGru } from "@chronograd/rnn";\nexport default minGru;\n',
  "throws.ts": `import { lstm } from "@chronograd/rnn";
const cell = lstm({ input: 2, hidden: 2 });
export default { ...cell, step: () => {
  throw new Error("no step today");
} };
`,
});

const inputs = (steps: number) => Array.from({ length: steps }, () => zeros([1, 3]));
const drawn = (cell: unknown, steps: number, k1: number, k2: number) => {
  const recorded = recordSteps(cell as PlainCell, inputs(steps), 1);
  const svg = drawTape(recorded, { title: "<a cell> & more", k1, k2 });
  const { document } = parseHTML(`<html><body>${svg}</body></html>`);
  const count = (selector: string) => document.querySelectorAll(selector).length;
  return { recorded, svg, count };
};

describe("the picture has what the tape has", () => {
  test("an LSTM: 7 entries a step, h and c between steps, a cut for each window that begins late", () => {
    const { recorded, svg, count } = drawn(lstm({ input: 3, hidden: 5 }), 6, 2, 3);
    expect(recorded.steps.map((entries) => entries.length)).toEqual([7, 7, 7, 7, 7, 7]);
    expect(count("g rect")).toBe(42);
    // h is read by a product, c by the cell state, in each of 6 steps.
    expect(count("path.state")).toBe(12);
    // Windows end at 2, 4, 6, and begin at 0, 1, 3.
    expect(count("line.cut")).toBe(2);
    expect(count("path.cross")).toBe(4);
    expect(svg).toContain("&lt;a cell&gt; &amp; more");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test("a GRU reads its state twice", () => {
    const { count } = drawn(gru({ input: 3, hidden: 2 }), 3, 1, 1);
    expect(count("path.state")).toBe(6);
    expect(count("line.cut")).toBe(2);
  });

  test("one step has no cut", () => {
    const { count, svg } = drawn(gru({ input: 3, hidden: 2 }), 1, 1, 1);
    expect(count("line.cut")).toBe(0);
    expect(svg).toContain("losses of step 1<");
  });
});

describe("the command", () => {
  test("writes a file, says so, and replaces it only by force", async () => {
    const out = join(home, "a.svg");
    const { code, out: text } = await run(tape, at("lstm.ts"), "--out", out, "--json");
    const { entries, windows, listing } = JSON.parse(text);
    expect({ code, entries, windows: windows.length }).toEqual({
      code: 0,
      entries: [7, 7, 7, 7, 7, 7],
      windows: 3,
    });
    expect(listing[0].op).toBe("matmul");
    expect(readFileSync(out, "utf8")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    writeFileSync(out, "mine");
    const again = await run(tape, at("lstm.ts"), "--out", out);
    expect(again.code).toBe(2);
    expect(again.err.replaceAll(home, "")).toMatchInlineSnapshot(`
      "tape: --out: /a.svg exists already; choose another name, or give --force
      "
    `);
    expect(readFileSync(out, "utf8")).toBe("mine");
    expect((await run(tape, at("lstm.ts"), "--out", out, "--force")).code).toBe(0);
    expect(readFileSync(out, "utf8")).not.toBe("mine");
  });

  test("draws the picture of the guide", async () => {
    const out = join(home, "guide.svg");
    await run(tape, at("lstm.ts"), "--out", out);
    const shown = new URL("../../../../docs/public/lstm.tape.svg", import.meta.url);
    expect(readFileSync(shown, "utf8")).toBe(readFileSync(out, "utf8"));
  });

  test("refuses in a sentence", async () => {
    const out = ["--out", join(home, "b.svg")];
    const said = async (...argv: string[]) => {
      const { code, err } = await run(tape, ...argv, ...out);
      return `${code} ${err.replaceAll(`${home}/`, "").trim()}`;
    };
    expect(await said(at("lstm.ts"), "--k1", "4", "--k2", "2")).toMatchInlineSnapshot(
      `"2 tape: --k2 must be at least --k1, got k1 4 and k2 2"`,
    );
    expect(await said(at("minGru.ts"), "--equations")).toMatchInlineSnapshot(
      `"2 tape: minGru.ts has no equations; leave out --equations"`,
    );
    const nowhere = await run(tape, at("lstm.ts"), "--out", join(home, "nowhere", "a.svg"));
    expect(
      `${nowhere.code} ${nowhere.err.replaceAll(`${home}/`, "").trim()}`,
    ).toMatchInlineSnapshot(
      `"1 tape: could not write "nowhere/a.svg": ENOENT, its folder does not exist; make it first, with mkdir"`,
    );
    expect(await said(at("throws.ts"))).toMatchInlineSnapshot(
      `"1 tape: throws.ts:4: no step today; chronograd check says more"`,
    );
    expect(await said(at("lstm.ts"), "--steps", "1000")).toMatchInlineSnapshot(
      `"2 tape: --steps: too big: expected number to be <=24, got 1000"`,
    );
    expect(await said(at("lstm.ts"), "--size", "input=3,hiden=4")).toMatchInlineSnapshot(
      `"2 tape: lstm.ts: no cell could be made with { input: 3, hidden: 5, hiden: 4 }: lstm: there is no option "hiden", did you mean "hidden"? It takes input, hidden; --size name=number gives a size"`,
    );
  });
});
