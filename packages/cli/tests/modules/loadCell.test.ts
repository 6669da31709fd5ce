import { ones } from "@chronograd/autodiff";
import { checkGradients } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { initialParams, unroll } from "@chronograd/rnn";
import { expect, test } from "vitest";
import { type LoadCellOptions, loadCell } from "../../src/modules/loadCell.ts";
import { parseSizes } from "../../src/modules/sizes.ts";
import { elmanCell, folder, write } from "../files.ts";

const home = folder();
const head = `import { init } from "@chronograd/nn";
import { defineCell, gru, lstm } from "@chronograd/rnn";
`;
const at = write(home, {
  "elman.ts": elmanCell,
  "made.ts": `${head}export default lstm({ input: 2, hidden: 4 });\n`,
  "maker.ts": `${head}export default (sizes: { input: number; hidden: number }) => gru(sizes);\n`,
  "named.ts": `${head}export const units = defineCell({
  params: ({ inputs, units }: { inputs: number; units: number }) => ({ W: init.glorot(inputs, units) }),
  state: ({ units }) => ({ h: init.zeros(units) }),
  step: ({ W }, x, { h }) => [x.matmul(W).add(h), { h: x.matmul(W) }],
});\n`,
  "two.ts": `${head}export const first = lstm;\nexport const second = gru;\nexport const number = 3;\n`,
  "none.ts": "export const number = 3;\nexport const text = 'a';\n",
  "empty.ts": "export {};\n",
  "wrong.ts": "export default { params: 3 };\n",
  "both.ts": `import { bidirectional, gru } from "@chronograd/rnn";
export default bidirectional(gru({ input: 2, hidden: 2 }));
`,
  "other.ts": "export default () => 7;\n",
});

async function said(name: string, options?: LoadCellOptions): Promise<string> {
  const error: unknown = await loadCell(at(name), options).catch((thrown: unknown) => thrown);
  expect((error as Error).name).toBe("UsageError");
  return (error as Error).message.replaceAll(`${home}/`, "");
}

test("a cell, a family of cells and a function of sizes give a cell", async () => {
  const { cell, sizes } = await loadCell(at("elman.ts"), { sizes: { hidden: 2 } });
  expect(sizes).toEqual({ input: 3, hidden: 2 });
  const params = initialParams(cell, rng(1), { dtype: "float64" }) as Record<string, never>;
  const run = (p: never) => unroll(cell, p, ones([3, 2, 3], { dtype: "float64" })).outputs;
  expect(checkGradients(run, params as never).ok).toBe(true);
  expect((await loadCell(at("made.ts"))).cell.input).toEqual([2]);
  expect((await loadCell(at("maker.ts"), { sizes: { input: 6 } })).cell.input).toEqual([6]);
  expect((await loadCell(at("two.ts"), { export: "second" })).name).toBe(`${at("two.ts")}#second`);
  const units = await loadCell(at("named.ts"), { sizes: { inputs: 2, units: 3 } });
  expect(units.sizes).toEqual({ inputs: 2, units: 3 });
  expect((await loadCell(at("elman.ts"), { defaults: { input: 65, hidden: 9 } })).sizes).toEqual({
    input: 65,
    hidden: 9,
  });
});

test("what is no cell is told in a sentence", async () => {
  expect(await said("two.ts")).toMatchInlineSnapshot(
    `"two.ts exports 2 cells, first, second; say which one with --export first, or make one the default export"`,
  );
  expect(await said("two.ts", { export: "third" })).toMatchInlineSnapshot(
    `"two.ts exports no cell as third: expected a cell, or what defineCell returns, as the default export or the only one of its kind, got first (function), number (number), second (function)"`,
  );
  expect(await said("none.ts")).toMatchInlineSnapshot(
    `"none.ts exports no cell: expected a cell, or what defineCell returns, as the default export or the only one of its kind, got number (number), text (string)"`,
  );
  expect(await said("empty.ts")).toMatchInlineSnapshot(
    `"empty.ts exports no cell: expected a cell, or what defineCell returns, as the default export or the only one of its kind, got no exports"`,
  );
  expect(await said("wrong.ts")).toMatchInlineSnapshot(
    `"wrong.ts exports no cell as default: expected a cell, or what defineCell returns, as the default export or the only one of its kind, got default (object)"`,
  );
  expect(await said("both.ts")).toMatchInlineSnapshot(
    `"both.ts exports a model of whole sequences, as bidirectional makes one, which has no step; name the cells that it is made of"`,
  );
  expect(await said("other.ts")).toMatchInlineSnapshot(
    `"other.ts: default({ input: 3, hidden: 5 }) returned number; expected a cell, or what defineCell returns, as the default export or the only one of its kind"`,
  );
  expect(await said("named.ts")).toMatchInlineSnapshot(
    `"named.ts: no cell could be made with { input: 3, hidden: 5 }: cell: the definition needs the sizes inputs and units, got input, hidden; did "input" mean "inputs"?; --size name=number gives a size"`,
  );
  expect(await said("made.ts", { sizes: { hidden: 3 } })).toMatchInlineSnapshot(
    `"made.ts exports a cell, which has its sizes; leave out hidden, or export what defineCell returns"`,
  );
  expect(await said("elman.ts", { sizes: { hidden: 0 } })).toMatchInlineSnapshot(
    `"elman.ts: no cell could be made with { input: 3, hidden: 0 }: elman: size hidden must be a whole number of at least 1, got 0; --size name=number gives a size"`,
  );
});

test("sizes are words with a value", () => {
  expect(parseSizes(["input=3", "activation=relu"])).toEqual({ input: 3, activation: "relu" });
  expect(() => parseSizes(["input"])).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: --size: expected name=value such as input=3, got "input"]`,
  );
});
