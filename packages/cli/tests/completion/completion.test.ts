import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cellTable } from "@chronograd/rnn/testing";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineCommand } from "../../src/command.ts";
import { completion } from "../../src/commands/completion.ts";
import { allCommands } from "../../src/commands/index.ts";
import { bash } from "../../src/completion/bash.ts";
import { fish } from "../../src/completion/fish.ts";
import { wordsOf } from "../../src/completion/words.ts";
import { zsh } from "../../src/completion/zsh.ts";
import { folder } from "../files.ts";
import { run } from "../run.ts";

const home = folder();
const count = defineCommand({
  name: "count",
  summary: "Counts: it's [quick].",
  positionals: [{ name: "file", description: "a file" }],
  options: z.object({
    file: z.string().optional(),
    upTo: z.int().default(3).describe("the last number: [1, 9]"),
    way: z.enum(["up", "down"]).default("up").describe("the user's way"),
    only: z
      .array(z.enum(["odd", "even"]))
      .default([])
      .describe("which numbers"),
    cell: z
      .string()
      .default("gru")
      .describe("a cell")
      .meta({ value: "NAME|FILE", examples: ["gru", "lstm"] }),
  }),
  async run() {},
});
const scripts = { bash, zsh, fish } as const;
const scriptOf = (shell: keyof typeof scripts): string =>
  scripts[shell]("chronograd", [count, completion].map(wordsOf));
const isThere = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

describe.skipIf(!isThere("bash"))("bash", () => {
  /** What bash offers for the last of some words. */
  async function offered(...words: string[]): Promise<string[]> {
    const path = join(home, "script.bash");
    writeFileSync(path, scriptOf("bash"));
    const program = `source "$1"; shift; COMP_WORDS=(chronograd "$@"); COMP_CWORD=$#; _chronograd; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync("bash", ["-c", program, "bash", path, ...words], {
      encoding: "utf8",
      cwd: home,
    });
    return stdout
      .split("\n")
      .filter((word) => word !== "")
      .sort();
  }
  test("commands, flags, values and files", async () => {
    writeFileSync(join(home, "data.csv"), "");
    expect(await offered("")).toEqual(["--help", "--version", "completion", "count"]);
    expect(await offered("cou")).toEqual(["count"]);
    expect(await offered("count", "--cell", "")).toEqual([
      "data.csv",
      "gru",
      "lstm",
      "script.bash",
    ]);
    expect(await offered("count", "--cell", "l")).toEqual(["lstm"]);
    expect(await offered("count", "--")).toEqual([
      "--cell",
      "--help",
      "--json",
      "--only",
      "--up-to",
      "--way",
    ]);
    expect(await offered("count", "--way", "")).toEqual(["down", "up"]);
    expect(await offered("count", "--only", "o")).toEqual(["odd"]);
    expect(await offered("count", "da")).toEqual(["data.csv"]);
    expect(await offered("count", "--up-to", "da")).toEqual(["data.csv"]);
    expect(await offered("completion", "")).toEqual(["bash", "fish", "zsh"]);
  });
});

test.each(["bash", "zsh", "fish"] as const)(
  "%s has every command and flag, and the shell can read it",
  async (shell) => {
    const { code, out } = await run(completion, shell);
    expect(code).toBe(0);
    for (const { name } of await allCommands()) expect(out).toContain(name);
    expect(out).toContain(shell === "fish" ? "-l tolerance" : "--tolerance");
    for (const text of [out, scriptOf(shell)]) {
      const path = join(home, `script.${shell}`);
      writeFileSync(path, text);
      if (!isThere(shell)) continue;
      const { status, stderr } = spawnSync(shell, ["-n", path], { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    }
  },
);

test("built-in cells have names, of which bench and train know the same", async () => {
  const { out } = await run(completion, "bash");
  for (const flag of ["train --cell", "bench --cells"]) {
    const [, words = ""] = new RegExp(`"${flag}"\\) words="(.*?)"`).exec(out)!;
    const known = cellTable().filter((row) => row.takesVectors && row.name === row.family);
    expect(words.split(" ").sort()).toEqual(known.map(({ name }) => name).sort());
  }
});

test("another shell is refused", async () => {
  const { code, err } = await run(completion, "tcsh");
  expect(`${code} ${err.trim()}`).toMatchInlineSnapshot(
    `"2 completion: shell: expected one of "bash"|"zsh"|"fish", got "tcsh""`,
  );
});
