import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { evaluate } from "../src/commands/evaluate.ts";
import { generate } from "../src/commands/generate.ts";
import { runs } from "../src/commands/runs.ts";
import { train } from "../src/commands/train.ts";
import { sparkline } from "../src/comparison/sparkline.ts";
import { run } from "./run.ts";
import { small, workFolder } from "./train/scratch.ts";

workFolder();

test("a folder without runs", async () => {
  expect((await run(runs)).out).toBe("no runs in runs; chronograd train makes one\n");
});

test("runs are listed and compared", async () => {
  for (const [name, cell, lr] of [
    ["one", "lstm", "0.01"],
    ["two", "elman", "0.02"],
  ] as const) {
    const args = ["--text", "rhyme.txt", ...small, "--cell", cell, "--lr", lr, "--windows", "300"];
    expect((await run(train, ...args, "--name", name)).code).toBe(0);
  }
  const table = (await run(runs)).out.trim().split("\n");
  expect(table).toHaveLength(3);
  expect(table[1]).toMatch(/^one +train +rhyme.txt +lstm 16 +2,150 +1,500 +\d\.\d+ +\d\.\d+ +20/);

  const both = await run(runs, "one", "runs/two", "--report", "both.html");
  expect(both.out).toMatch(/^cell +lstm +elman$/m);
  expect(both.out).toMatch(/^lr +0.01 +0.02$/m);
  expect(both.out).toMatch(/^parameters +2,150 +/m);
  expect(both.out).not.toMatch(/^hidden/m);
  expect(both.out).toMatch(/^one +[▁-█]{50}$/m);
  const page = readFileSync("both.html", "utf8");
  expect(page.match(/<svg/g)).toHaveLength(2);
  expect(page).not.toContain(process.cwd());
  const again = await run(runs, "one", "two", "--report", "both.html");
  expect(again.code).toBe(2);
  expect(again.err).toMatch(/both.html exists already/);

  const data = JSON.parse((await run(runs, "--json")).out) as { name: string; heldOut: number }[];
  expect(data.map(({ name }) => name)).toEqual(["one", "two"]);
  const measured = await run(evaluate, "runs/one", "--json");
  expect((JSON.parse(measured.out) as { loss: number }).loss).toBe(data[0]!.heldOut);
});

test("a run that is damaged is told beside the others", async () => {
  mkdirSync("runs/broken");
  writeFileSync("runs/broken/run.json", "{");
  const { code, out } = await run(runs);
  expect(code).toBe(0);
  expect(out).toMatch(/^runs\/broken\/run.json cannot be read: /m);
  expect(out).toMatch(/^one +train/m);
  rmSync("runs/broken", { recursive: true });
});

test("what is no run is told", async () => {
  expect((await run(runs, "one")).err).toMatch(/one: name a second run/);
  expect((await run(runs, "one", "three")).err).toMatch(/three is not the folder of a run/);
  writeFileSync("other.txt", "Row, row");
  const other = await run(evaluate, "runs/one", "--text", "other.txt");
  expect(other.err).toMatch(/has the character "R", which the run does not know/);
});

test("text is drawn, or searched for", async () => {
  const write = async (...args: string[]) => {
    const { code, out } = await run(generate, "runs/one", "--prompt", "row, r", ...args);
    expect(code).toBe(0);
    return out;
  };
  const drawn = await write("--length", "40", "--seed", "4");
  expect(drawn).toMatch(/^row, r.{40}\n$/);
  expect(await write("--length", "40", "--seed", "4")).toBe(drawn);
  expect(await write("--length", "40", "--seed", "5", "--temperature", "2")).not.toBe(drawn);
  const likeliest = await write("--length", "40", "--temperature", "0");
  expect(await write("--length", "40", "--top-k", "1")).toBe(likeliest);
  expect(await write("--length", "40", "--nucleus", "1e-9")).toBe(likeliest);
  expect(await write("--length", "40", "--beam", "1")).toBe(likeliest);
  const said = async (...args: string[]) => (await run(generate, "runs/one", ...args)).err;
  expect(await said()).toMatch(/the text of runs\/one has no ends of lines; give a --prompt/);
  expect(await said("--prompt", "Row")).toMatch(/--prompt: the text of runs\/one has no "R"/);
  expect(await said("--beam", "2", "--seed", "1", "--top-k", "3")).toMatch(
    /--beam draws nothing; leave out --top-k, --seed/,
  );
  expect(existsSync("runs/one/result.json")).toBe(true);
});

test("a sparkline is as high as its values", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe("▁▂▃▄▅▆▇█");
  expect(sparkline([1, 1])).toBe("▁▁");
  expect(sparkline([5], [0, 10])).toBe("▅");
});
