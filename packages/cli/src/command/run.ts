import { type Communicator, selfCommunicator } from "@chronograd/nn";
import { CommanderError, Command as Words } from "commander";
import { checkOptions } from "../checkOptions.ts";
import { readConfig } from "./config.ts";
import type { Command } from "./define.ts";
import { RunError, UsageError } from "./errors.ts";
import { checked, flagOf, flagsOf, valuesOf } from "./flags.ts";
import { processIo } from "./io.ts";
import { firstFails, ioOf, letFirstSpeak } from "./ranks.ts";

/** Adds a command to the words of a command line. */
function declare(
  words: Words,
  command: Command,
  communicator: Communicator,
  ran: (code: number) => void,
): Words {
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
    ran(await perform(command, words, communicator));
  });
}

/** Runs a command on parsed words; returns the exit code. */
async function perform(
  command: Command,
  words: Words,
  communicator: Communicator,
): Promise<number> {
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(words.opts())) {
    if (words.getOptionValueSource(key) === "cli") given[key] = value;
  }
  const json = given.json === true;
  const io = processIo({ json });
  const print = (value: unknown) => {
    if (json && communicator.rank === 0) {
      process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    }
  };
  const run = async () => {
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
    await command.run(options as never, ioOf(communicator, io), new Set(Object.keys(values)));
  };
  try {
    await firstFails(communicator, run);
    io.close();
    print(io.outcome ?? null);
    return 0;
  } catch (error) {
    io.close();
    const isUsage = error instanceof UsageError;
    if (!isUsage && !(error instanceof RunError)) throw error;
    console.error(`${command.name}: ${error.message}`);
    print({ ...(io.outcome as object), error: error.message });
    return isUsage ? 2 : 1;
  }
}

/** Reads a command line; what it asks for runs, and its exit code is returned. */
async function parse(
  words: Words,
  argv: readonly string[],
  communicator: Communicator,
  code: () => number,
): Promise<number> {
  for (const each of [words, ...words.commands]) {
    each.exitOverride().configureOutput({
      ...(communicator.rank > 0 && { writeOut: () => {}, writeErr: () => {} }),
      outputError: (text, write) => write(text.replace(/^error: /, `${each.name()}: `)),
    });
  }
  try {
    await words.parseAsync(argv, { from: "user" });
    return code();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    await letFirstSpeak(communicator);
    return 2;
  }
}

/** Options of `runCommand`. */
export interface RunCommandOptions {
  /**
   * The ranks that run the command together, such as `mpi()`: only the first one speaks, and what
   * goes wrong on all is said once. This process alone unless given.
   */
  readonly communicator?: Communicator;
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
export async function runCommand(
  command: Command,
  argv: readonly string[],
  options: RunCommandOptions = {},
): Promise<number> {
  checkOptions("runCommand", options, ["communicator"]);
  const { communicator = selfCommunicator } = options;
  let code = 0;
  const words = declare(new Words(command.name), command, communicator, (ended) => {
    code = ended;
  });
  return await parse(words, argv, communicator, () => code);
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
    declare(words.command(command.name), command, selfCommunicator, (ended) => {
      code = ended;
    });
  }
  return await parse(words, argv, selfCommunicator, () => code);
}
