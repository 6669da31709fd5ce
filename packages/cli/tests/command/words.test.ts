import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import * as z from "zod";
import { nearest } from "../../src/command/nearest.ts";
import { runProgram } from "../../src/command/run.ts";
import { defineCommand } from "../../src/command.ts";
import { folder } from "../files.ts";
import { run } from "../run.ts";

const home = folder();
let seen: unknown;
const count = defineCommand({
  name: "count",
  summary: "Counts.",
  positionals: [{ name: "config", description: "options" }],
  config: "config",
  options: z.object({
    config: z.string().optional(),
    hidden: z.int().min(1).default(3).describe("units"),
    only: z.array(z.string()).default([]).describe("some words"),
  }),
  async run(options) {
    seen = options;
  },
});

test("a list is given with commas, in several flags, or both", async () => {
  await run(count, "--only", "a,b", "--only", "c");
  expect(seen).toMatchObject({ only: ["a", "b", "c"] });
  await run(count);
  expect(seen).toMatchObject({ only: [] });
});

test("a mistyped key, flag or command gets a suggestion", async () => {
  const path = join(home, "config.json");
  const said = async (...argv: string[]) => {
    const { code, err } = await run(count, ...argv);
    return `${code} ${err.trim().replaceAll(`${home}/`, "")}`;
  };
  writeFileSync(path, '{ "hiden": 3 }');
  expect(await said(path)).toMatchInlineSnapshot(
    `"2 count: config.json: hiden: there is no such option, did you mean "hidden"?"`,
  );
  writeFileSync(path, '{ "colour": 3 }');
  expect(await said(path)).toMatchInlineSnapshot(
    `"2 count: config.json: colour: there is no such option"`,
  );
  writeFileSync(path, '{ "hidden": "many" }');
  expect(await said(path)).toMatchInlineSnapshot(
    `"2 count: config.json: hidden: expected number, got "many""`,
  );
  expect(await said("--hiden", "3")).toMatchInlineSnapshot(`
    "2 count: unknown option '--hiden'
    (Did you mean --hidden?)"
  `);
  const written: string[] = [];
  const spy = vi
    .spyOn(process.stderr, "write")
    .mockImplementation((text) => written.push(String(text)) > 0);
  afterAll(() => spy.mockRestore());
  const program = { name: "chronograd", summary: "", version: "1" };
  expect(await runProgram(program, [count], ["cuont"])).toBe(2);
  spy.mockRestore();
  expect(written.join("")).toMatchInlineSnapshot(`
    "chronograd: unknown command 'cuont'
    (Did you mean count?)
    "
  `);
});

test("the nearest word is one with few other letters", () => {
  const known = ["hidden", "layers", "steps"];
  expect(nearest("hiden", known)).toBe("hidden");
  expect(nearest("HIDDEN", known)).toBe("hidden");
  expect(nearest("layres", known)).toBe("layers");
  expect(nearest("hid-den", known)).toBe("hidden");
  expect(nearest("colour", known)).toBe(undefined);
  expect(nearest("x", [])).toBe(undefined);
});
