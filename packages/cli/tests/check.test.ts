import type { Tensor } from "@chronograd/autodiff";
import { hold } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { cellTable } from "@chronograd/rnn/testing";
import { describe, expect, test } from "vitest";
import { examinationOf } from "../src/check/examination.ts";
import { groups } from "../src/check/laws.ts";
import { check } from "../src/commands/check.ts";
import { loadCell } from "../src/modules/loadCell.ts";
import { elmanCell, folder, write } from "./files.ts";
import { run } from "./run.ts";

const home = folder();

/** A cell with a step of its own; each breaks one thing. */
const cell = (step: string) => `import { tensor } from "@chronograd/autodiff";
import { init } from "@chronograd/nn";
import { defineCell } from "@chronograd/rnn";
export default defineCell({
  name: "mine",
  params: ({ input, hidden }: { input: number; hidden: number }) => ({
    W: init.glorot(input, hidden),
    U: init.orthogonal(hidden),
  }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W, U }, x, { h }) => {
    const sum = x.matmul(W).add(h.matmul(U));
    ${step}
  },
});
`;
const wrongRule = `import type { Tensor } from "@chronograd/autodiff";
import { apply, kernelsOf, op } from "@chronograd/autodiff/extend";
import { init } from "@chronograd/nn";
import { defineCell } from "@chronograd/rnn";
const declaration = {
  name: "fastTanh",
  inputs: ["x"],
  shape: ([x]) => x.shape,
  forward: (backend, [x], y) => kernelsOf(backend, y).tanh(y.size, x.pointer, y.pointer),
  residuals: { inputs: [], output: true },
  vjp: [(g, { output: y }) => g.mul(y.neg().add(1))],
  jvp: ([dx], { output: y }) => dx.mul(y.square().neg().add(1)),
  samples: [],
} as never;
const fastTanh = op(declaration, (x: Tensor) => apply(declaration, [x], undefined));
export default defineCell({
  params: ({ input, hidden }: { input: number; hidden: number }) => ({ W: init.glorot(input, hidden) }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W }, x, { h }) => {
    const next = fastTanh(x.matmul(W).add(h));
    return [next, { h: next }];
  },
});
`;
const at = write(home, {
  "elman.ts": elmanCell,
  "rule.ts": wrongRule,
  "detach.ts": cell("const y = sum.add(h.detach()).tanh(); return [y, { h: y }];"),
  "mean.ts": cell("const y = sum.sub(sum.mean(0)).tanh(); return [y, { h: y }];"),
  "random.ts": cell("const y = sum.mul(Math.random()).tanh(); return [y, { h: y }];"),
  "nan.ts": cell("const y = sum.square().neg().log(); return [y, { h: y }];"),
  "shape.ts": cell("const y = sum.tanh(); return [y, { h: y.sum(-1) }];"),
  "other.ts": cell("const y = sum.tanh(); return [y, { g: y }];"),
  "pair.ts": cell("return sum.tanh();"),
  "throws.ts": cell("return [x.matmul(U), { h: sum }];"),
  "symbols.ts": `import { embedding } from "@chronograd/nn";
import { elman, sequential } from "@chronograd/rnn";
import { symbols } from "@chronograd/rnn/testing";
export default sequential({ embed: embedding({ input: 5, output: 2 }), elman: elman({ input: 2, hidden: 3 }) });
export const check = { input: symbols(5) };
`,
  "attention.ts": 'export { attentionCell as default } from "@chronograd/rnn";\n',
  "conv.ts": 'export { convLstm as default } from "@chronograd/rnn";\n',
  "fixed.ts": `import { init } from "@chronograd/nn";
import { defineCell } from "@chronograd/rnn";
export default defineCell({
  params: () => ({}),
  state: ({ input }: { input: number }) => ({ h: init.zeros(input) }),
  step: (_, x, { h }) => {
    const next = h.add(x).tanh();
    return [next, { h: next }];
  },
});
`,
  "prints.ts": 'console.log("hello");\nexport { mgu as default } from "@chronograd/rnn";\n',
  "misspelt.ts": `export { mgu as default } from "@chronograd/rnn";
export const check = { inputt: 3 };
`,
  "unknown.ts": `import { embedding } from "@chronograd/nn";
import { elman, sequential } from "@chronograd/rnn";
export default sequential({ embed: embedding({ input: 5, output: 2 }), elman: elman({ input: 2, hidden: 3 }) });
`,
});

/** What a check says of the laws that are broken, in few lines. */
async function broken(name: string, ...flags: string[]): Promise<string> {
  const { code, out, err } = await run(
    check,
    at(name),
    "--size",
    "input=1,hidden=2",
    "--k2",
    "2",
    ...flags,
  );
  expect(code).toBe(1);
  // Digits depend on how a machine rounds.
  const lines = `${out}${err}`
    .replaceAll(`${home}/`, "")
    .replace(/-?\d+\.\d{4,}|\d(\.\d)?e[+-]\d+/g, "#")
    .split("\n");
  return lines
    .filter((line) => /^ {2}BROKEN|^ {10}|^check/.test(line) && !/ law /.test(line))
    .join("\n");
}

test("all laws hold for a right cell, and JSON says the same", async () => {
  const { code, out, err } = await run(
    check,
    at("elman.ts"),
    "--json",
    "--size",
    "input=2,hidden=2",
  );
  expect({ code, last: err.trim().split("\n").at(-1) }).toEqual({
    code: 0,
    last: "all 29 laws hold",
  });
  const { ok, sizes, laws } = JSON.parse(out);
  expect({ ok, sizes }).toEqual({ ok: true, sizes: { input: 2, hidden: 2 } });
  expect(laws).toHaveLength(29);
  expect(new Set(laws.map(({ group }: { group: string }) => group)).size).toBe(5);
  for (const { worst, bound } of laws) expect(worst).toBeLessThanOrEqual(bound);
});

describe("what is broken is told with op, element and time step", () => {
  test("a wrong rule", async () => {
    expect(await broken("rule.ts", "--only", "rules")).toMatchInlineSnapshot(`
      "  BROKEN  every op                the derivative rules of each op that ran equal differences of that op
                the vjp of fastTanh by x is wrong: fastTanh [3,2] -> [3,2], time step 1, at rule.ts:15; worst element x[2,0]: analytic #, numeric #
      check: rule.ts: 1 of 2 laws is broken"
    `);
  });
  test("a value off the tape", async () => {
    expect(await broken("detach.ts", "--only", "gradients")).toMatchInlineSnapshot(`
      "  BROKEN  order 1                 gradients of 3 steps by parameters and inputs equal central differences
                to blame: add [2,2] [2,2] -> [2,2] (entry 8), time step 2, at detach.ts:13:19: its input b float64 [2,2] depends on the inputs, but came in as a constant; look for detach(...), toArray() or item() on the way to it
                "outputs"[2,0,1] by "inputs.1"[0,0]: analytic #, numeric # (+- #), relative error #
        BROKEN  order 2                 second derivatives of 3 steps by parameters and inputs equal central differences
                to blame: add [2,2] [2,2] -> [2,2] (entry 8), time step 2, at detach.ts:13:19: its input b float64 [2,2] depends on the inputs, but came in as a constant; look for detach(...), toArray() or item() on the way to it
                second derivative: "3"[1,0] by "inputs.0"[1,0]: analytic #, numeric # (+- #), relative error #
      check: detach.ts: 2 of 3 laws are broken"
    `);
    expect(await broken("detach.ts", "--only", "truncated")).toMatchInlineSnapshot(`
      "  BROKEN  carry                   windows with carried activations (k1 2, k2 2) have the gradient of their losses with the state at the cut held constant
                losses new, sum: window 0, steps (0, 2], new after 0: d/d params.W[0,0] is #, by differences #; 2 of 6 derivatives differ, all by params.W; the model's own gradient is wrong in the same way where nothing is truncated: testCell(model) says which op or step it is
        BROKEN  recompute               windows that run the overlap again (k1 2, k2 2) have the gradient of their losses with the state at the cut held constant
                losses new, sum: window 0, steps (0, 2], new after 0: d/d params.W[0,0] is #, by differences #; 2 of 6 derivatives differ, all by params.W; the model's own gradient is wrong in the same way where nothing is truncated: testCell(model) says which op or step it is
        BROKEN  defer                   windows with one update per sequence (k1 2, k2 2) have the gradient of their losses with the state at the cut held constant
                losses new, sum: window 0, steps (0, 9], new after 0: d/d params.U[0,1] is #, by differences #; 6 of 6 derivatives differ; the model's own gradient is wrong in the same way where nothing is truncated: testCell(model) says which op or step it is
      check: detach.ts: 3 of 4 laws are broken"
    `);
  });
  test("rows that depend on each other", async () => {
    expect(await broken("mean.ts", "--only", "influence")).toMatchInlineSnapshot(`
      "  BROKEN  other rows              no row of a batch depends on another
                the output of row 0 at step 1 depends on row 1 at step 1: sum [3,2] -> [2] (entry 3), time step 1, at mean.ts:13:27
        BROKEN  before a reset          nothing depends on what lies before a reset
                the output of row 1 at step 3 depends on what lies before a reset of row 1 at step 2: sum [3,2] -> [2] (entry 10), time step 2, at mean.ts:13:27
      check: mean.ts: 2 of 6 laws are broken"
    `);
  });
});

describe("a cell that breaks the contract gives a sentence", () => {
  test.each(["nan.ts", "shape.ts", "other.ts", "pair.ts", "throws.ts"])("%s", async (name) => {
    expect(await broken(name)).toMatchSnapshot();
  });
  test("random numbers", async () => {
    expect(await broken("random.ts")).toMatch(
      /^ {2}BROKEN {2}repeats .*\n.*step.*output\[.*expected/,
    );
  });
});

test("a file says what its cell takes as input", async () => {
  const { code } = await run(check, at("symbols.ts"), "--only", "gradients,influence");
  expect(code).toBe(0);
  const { code: wrong, err } = await run(check, at("unknown.ts"));
  expect(wrong).toBe(2);
  expect(err.replaceAll(`${home}/`, "")).toMatchInlineSnapshot(`
    "check: unknown.ts: it is not known what a step takes as input; export const check = { input: 3 } for 3 columns, { input: symbols(65) } for symbols, or { input: (random, batch) => ... }
    "
  `);
});

test("wrong options are told, with exit code 2", async () => {
  for (const flags of [
    ["--only", "laws"],
    ["--k1", "3", "--k2", "2"],
    ["--steps", "many"],
    ["--size", "3"],
  ]) {
    const { code, err } = await run(check, at("elman.ts"), ...flags);
    expect(code).toBe(2);
    expect(err).toMatchSnapshot();
  }
});

test("the sizes and the input of an example are taken, or those that are given", async () => {
  const of = (name: string, ...flags: string[]) =>
    run(check, at(name), "--only", "rules", "--json", ...flags);
  const { code, out } = await of("attention.ts");
  expect({ code, sizes: JSON.parse(out).sizes }).toEqual({
    code: 0,
    sizes: { input: 2, hidden: 3, context: 2 },
  });
  // With other sizes, an input is of the shape that the cell says.
  const loaded = await loadCell(at("conv.ts"), { sizes: { height: 3, input: 1 } });
  const sizes = { steps: 3, batch: 2, tolerance: 1e-7, k1: 1, k2: 1 };
  const drawn = examinationOf(loaded, sizes).input(rng(1), 2) as Tensor;
  expect(drawn.shape).toEqual([2, ...loaded.cell.input!]);
});

test("a cell without parameters has no windows to check", async () => {
  const { code, out } = await run(
    check,
    at("fixed.ts"),
    "--only",
    "gradients,rules,truncated",
    "--json",
  );
  expect(code).toBe(0);
  const groups = JSON.parse(out).laws.map(({ group }: { group: string }) => group);
  expect(new Set(groups)).toEqual(new Set(["cell", "gradients", "rules"]));
});

test("what the file prints does not disturb JSON", async () => {
  const { code, out, err } = await run(check, at("prints.ts"), "--only", "rules", "--json");
  expect({ code, ok: JSON.parse(out).ok }).toEqual({ code: 0, ok: true });
  expect(err).toContain("hello");
});

test("wrong options of the file are told", async () => {
  const { code, err } = await run(check, at("misspelt.ts"));
  expect(code).toBe(2);
  expect(err).toMatch(
    /the export check: cellLaws: there is no option "inputt", did you mean "input"\?/,
  );
});

test("a cell with kinks is drawn until differences decide", () => {
  const { name, make, sizes, input } = cellTable().find((row) => row.name === "irnn")!;
  const loaded = { name, cell: make() as never, sizes, exports: { check: { input } } };
  const examination = examinationOf(loaded, { steps: 3, batch: 2, tolerance: 1e-7, k1: 1, k2: 1 });
  for (const law of groups.gradients(examination)) {
    expect(hold(law, { runs: 3 })).toMatchObject({ ok: true });
  }
});
