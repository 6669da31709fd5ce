import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { evaluate } from "../../src/commands/evaluate.ts";
import { train } from "../../src/commands/train.ts";
import { elmanCell } from "../files.ts";
import { run } from "../run.ts";
import { metricsOf, workFolder } from "./scratch.ts";

workFolder();

/** The module of the guide. */
const module = readFileSync(join(import.meta.dirname, "firstSign.ts"), "utf8");
const flags = "--data data.ts --hidden 8 --k1 10 --k2 10 --lr 0.05 --seed 3".split(" ");

test("a module and a cell of one's own: sequences longer and shorter than windows, and a resume", async () => {
  writeFileSync("data.ts", module);
  writeFileSync("elman.ts", elmanCell);
  const args = [...flags, "--cell", "./elman.ts"];
  const whole = await run(train, ...args, "--windows", "150", "--name", "whole", "--json");
  expect(whole.code).toBe(0);
  expect((JSON.parse(whole.out) as { heldOut: number }).heldOut).toBeLessThan(0.4);

  // Windows of 7 steps end within sequences of 5.
  const odd = [...args, "--k1", "7", "--k2", "7", "--decay", "0"];
  await run(train, ...odd, "--windows", "40", "--name", "once");
  await run(train, ...odd, "--windows", "23", "--name", "twice");
  await run(train, "--resume", "runs/twice", "--windows", "40");
  const losses = (name: string) =>
    metricsOf(name).map(({ loss, gradientNorm }) => [loss, gradientNorm]);
  expect(losses("twice")).toEqual(losses("once"));
});

test("a cell that reads values cannot be planned, and trains all the same", async () => {
  writeFileSync("data.ts", module);
  const branch = "const next = x.sum().item() > 1e9 ? x.matmul(W) :";
  writeFileSync("reading.ts", elmanCell.replace("const next =", branch));
  const losses = async (cell: string) => {
    const args = [...flags, "--cell", cell, "--windows", "30", "--force", "--name", "reading"];
    const { code, out } = await run(train, ...args, "--json");
    expect(code).toBe(0);
    return (JSON.parse(out) as { heldOut: number }).heldOut;
  };
  expect(Math.abs((await losses("./reading.ts")) - (await losses("./elman.ts")))).toBeLessThan(
    1e-4,
  );
});

test("the training is over where the data end", async () => {
  writeFileSync("data.ts", module.replace("index < 400", "index < 9"));
  const { code } = await run(train, ...flags, "--windows", "100", "--name", "short");
  expect(code).toBe(0);
  // 45 steps in windows of 10.
  expect(metricsOf("short").map(({ step }) => step)).toEqual([10, 20, 30, 40, 45]);
  const { err } = await run(train, "--resume", "runs/short", "--windows", "100");
  expect(err).toMatch(/the data of runs\/short have ended/);
});

test("a module that breaks the contract is told how, in a sentence", async () => {
  const said = async (text: string, ...args: string[]) => {
    writeFileSync("data.ts", text);
    const { code, err } = await run(train, ...flags, ...args, "--force", "--name", "bad");
    expect(code).toBeGreaterThan(0);
    expect(err.trim().split("\n")).toHaveLength(1);
    return err.trim();
  };
  const head = 'import { tensor } from "@chronograd/autodiff";\n';
  const sizes = "export const sizes = { input: 1 };\n";
  expect(await said("export const x = (;\n")).toMatchInlineSnapshot(
    `"train: cannot load data.ts: data.ts:1:19: Unexpected token"`,
  );
  expect(await said(sizes)).toMatchInlineSnapshot(
    `"train: --data data.ts: it exports no batches; expected sizes, batches, loss, heldOut (the last two if needed), got sizes"`,
  );
  expect(await said("export const batches = 3, sizes = { input: 1 };")).toMatchInlineSnapshot(
    `"train: --data data.ts: batches must be a function, got number"`,
  );
  expect(
    await said("export const sizes = { input: 1, tokens: 2 }; export function* batches() {}"),
  ).toMatchInlineSnapshot(
    `"train: --data data.ts: sizes must have either input, the length of a row of numbers, or tokens, how many there are"`,
  );
  expect(await said(`${sizes}export const batches = () => 3;`)).toMatchInlineSnapshot(
    `"train: --data data.ts: batches must return an iterable, such as function* batches() { yield { input, target }; }, got number"`,
  );
  expect(
    await said(`${sizes}export function* batches() { yield { x: 1 }; }`),
  ).toMatchInlineSnapshot(
    `"train: --data data.ts: item 0 of batches must be a time step { input, target } or a sequence { inputs, targets }, got { x }"`,
  );
  expect(
    await said(`${sizes}export function* batches() { throw new Error("no such table"); }`),
  ).toMatchInlineSnapshot(`"train: --data data.ts: batches threw Error: no such table"`);
  expect(
    await said(
      `${head}${sizes}export function* batches() { yield { input: tensor([[1, 2]]), target: tensor([[1]]) }; }`,
    ),
  ).toMatchInlineSnapshot(
    `"train: --data data.ts: the first item of batches has inputs of shape [1,2], and sizes.input is 1, the length of a row"`,
  );
  const item = "yield { input: tensor([[1]]), target: tensor([[1]]) };";
  const good = `${head}${sizes}export function* batches() { ${item} }\n`;
  expect(await said(`${good}export function* heldOut() {}`)).toMatchInlineSnapshot(
    `"train: --data data.ts: heldOut gave no items"`,
  );
  expect(await said(`${good}export const losss = () => 0;`)).toMatchInlineSnapshot(
    `"train: --data data.ts: it exports losss, did you mean "loss"?"`,
  );
  expect(
    await said(`${head}${sizes}export async function* batches() { ${item} }`),
  ).toMatchInlineSnapshot(
    `"train: --data data.ts: batches must return an iterable, such as function* batches() { yield { input, target }; }, got an asynchronous one; read what it waits for before, with await at the top of the module"`,
  );
  // Nothing is broadcast that was not meant to be.
  expect(
    await said(good.replace("target: tensor([[1]])", "target: tensor([1])")),
  ).toMatchInlineSnapshot(
    `"train: truncated: the loss of step 1: meanSquaredError: predictions and targets must have one shape, got [1,8] and [1]; reshape or broadcastTo one of them"`,
  );
  expect(await said(`${sizes}export function* batches() {}`)).toMatchInlineSnapshot(
    `"train: --data data.ts: batches gave no items"`,
  );
});

test("numbers that are not finite are told with the item and the place", async () => {
  const item = (at: number, input = "1", target = "1") =>
    `yield { input: tensor([[${at === 1 ? input : "1"}]]), target: tensor([[${at === 1 ? target : "1"}]]) };`;
  const module = (batches: string, heldOut = "") =>
    `import { tensor } from "@chronograd/autodiff";\nexport const sizes = { input: 1, output: 1 };\nexport function* batches() { ${batches} }\n${heldOut}`;
  const said = async (text: string) => {
    writeFileSync("data.ts", text);
    const args = [...flags, "--windows", "1", "--force", "--name", "odd"];
    const { code, err, out } = await run(train, ...args);
    return { code, err: err.trim(), out };
  };
  const odd = await said(module(item(0) + item(1, "NaN")));
  expect([odd.code, odd.err]).toEqual([
    1,
    expect.stringMatching(
      /^train: data.ts: item 1 has NaN in its input at \[0, 0\]; leave that item out, or mask it \(truncated: the loss of step \d+ is NaN/,
    ),
  ]);
  const held = `export function* heldOut() { ${item(0)}${item(1, "1", "Infinity")} }`;
  const late = await said(module(item(0), held));
  expect([late.code, late.err]).toEqual([
    1,
    "train: runs/odd: Held-out loss Infinity per element of the loss, over all 2; item 1 of heldOut has Infinity in its target at [0, 0]",
  ]);
  expect(readFileSync("runs/odd/result.json", "utf8")).toContain('"heldOut": null');
});

test("what a module does wrong is a fault of the call before the work, and of the work after", async () => {
  const good = "yield { input: tensor([[1]]), target: tensor([[1]]) };";
  const module = (second: string) =>
    `import { tensor } from "@chronograd/autodiff";\nexport const sizes = { input: 1, output: 1 };\nexport function* batches() { ${second} }\n`;
  const said = async (text: string) => {
    writeFileSync("data.ts", text);
    const { code, err } = await run(train, ...flags, "--windows", "1", "--force", "--name", "bad");
    return `${code} ${err.trim()}`;
  };
  const wrong = 'throw new Error("no such table");';
  const sentence = "train: --data data.ts: batches threw Error: no such table";
  expect(await said(module(wrong))).toBe(`2 ${sentence}`);
  expect(await said(module(good + wrong))).toBe(`1 ${sentence}`);
});

test("a model is not used with another cell than that which was trained", async () => {
  writeFileSync("data.ts", module);
  writeFileSync("changed.ts", elmanCell);
  await run(train, ...flags, "--cell", "./changed.ts", "--windows", "1", "--name", "changed");
  writeFileSync(
    "changed.ts",
    elmanCell.replace("init.zeros(hidden),\n  })", "init.zeros(1),\n  })"),
  );
  const { code, err } = await run(evaluate, "runs/changed");
  expect(`${code} ${err.trim().replace(process.cwd(), ".")}`).toMatchInlineSnapshot(
    `"2 evaluate: runs/changed: ./changed.ts is not the cell that was trained: "cell.b" is [1] in it, and [8] in the checkpoint; restore it, or train again"`,
  );
});
