import { CommanderError, Command as Words } from "commander";
import { readConfig } from "./config.ts";
import type { Command } from "./define.ts";
import { RunError, UsageError } from "./errors.ts";
import { checked, flagOf, flagsOf, valuesOf } from "./flags.ts";
import { processIo } from "./io.ts";

/** Adds a command to the words of a command line. */
function declare(words: Words, command: Command, ran: (code: number) => void): Words {
  words.description(command.summary);
  for (const { name, description, required = false, variadic = false } of command.positionals) {
    const shown = `${name}${variadic ? "..." : ""}`;
    words.argument(required ? `<${shown}>` : `[${shown}]`, description);
  }
  for (const flag of flagsOf(command)) words.addOption(flag);
  words.option("--json", "print the result as JSON; all else goes to the standard error");
  const examples = command.examples.map((line) => `  ${line}`).join("\n");
  if (examples !== "") words.addHelpText("after", `\nExamples:\n${examples}`);
  return words.allowExcessArguments(false).action(async () => {
    ran(await perform(command, words));
  });
}

/** Runs a command on parsed words; returns the exit code. */
async function perform(command: Command, words: Words): Promise<number> {
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(words.opts())) {
    if (words.getOptionValueSource(key) === "cli") given[key] = value;
  }
  const json = given.json === true;
  const io = processIo({ json });
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  try {
    const placed = command.positionals.map(({ name }, i) => [name, words.processedArgs[i]]);
    const flags = valuesOf(command.options, { ...Object.fromEntries(placed), ...given });
    const path = command.config === undefined ? undefined : flags[command.config];
    const file = typeof path === "string" ? readConfig(path) : {};
    const named = (key: string) => {
      if (!(key in flags) && key in file) return `${path}: ${key}`;
      return command.positionals.some(({ name }) => name === key) ? key : flagOf(key);
    };
    const values = { ...file, ...flags };
    const options = checked(command.options, values, named);
    await command.run(options as never, io, new Set(Object.keys(values)));
    io.close();
    if (json) print(io.outcome ?? null);
    return 0;
  } catch (error) {
    io.close();
    const isUsage = error instanceof UsageError;
    if (!isUsage && !(error instanceof RunError)) throw error;
    console.error(`${command.name}: ${error.message}`);
    if (json) print({ ...(io.outcome as object), error: error.message });
    return isUsage ? 2 : 1;
  }
}

/** Reads a command line; what it asks for runs, and its exit code is returned. */
async function parse(words: Words, argv: readonly string[], code: () => number): Promise<number> {
  for (const each of [words, ...words.commands]) {
    each.exitOverride().configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, `${each.name()}: `)),
    });
  }
  try {
    await words.parseAsync(argv, { from: "user" });
    return code();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}

/**
 * Runs a command with the words of a command line, and returns its exit code: 0 when it did what
 * was asked, 1 when that failed or found a fault (`RunError`), 2 when it was asked for in a wrong
 * way (`UsageError`). Mistakes are told in a sentence, other errors are thrown.
 *
 * @example
 * ```ts
 * import { defineCommand, runCommand } from "chronograd/command";
 * import * as z from "zod";
 *
 * const quiet = defineCommand({
 *   name: "quiet",
 *   summary: "Does nothing.",
 *   options: z.object({}),
 *   async run() {},
 * });
 * await runCommand(quiet, []); // => 0
 * ```
 */
export async function runCommand(command: Command, argv: readonly string[]): Promise<number> {
  let code = 0;
  const words = declare(new Words(command.name), command, (ended) => {
    code = ended;
  });
  return await parse(words, argv, () => code);
}

const exitCodes = "Exit codes: 0 done, 1 failed or found a fault, 2 asked for in a wrong way.";

/** Runs one of several commands, named by the first word. */
export async function runProgram(
  { name, summary, version }: { name: string; summary: string; version: string },
  commands: readonly Command[],
  argv: readonly string[],
): Promise<number> {
  let code = 0;
  const words = new Words(name).description(summary).version(version);
  words.addHelpText("after", `\n${exitCodes}`);
  for (const command of commands) {
    declare(words.command(command.name), command, (ended) => {
      code = ended;
    });
  }
  return await parse(words, argv, () => code);
}
