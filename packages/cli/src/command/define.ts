import type * as z from "zod";
import type { Io } from "./io.ts";

/** A word on the command line that is no flag; its name is a key of the options. */
export interface Positional {
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
  /** Takes all the words that are left, as a list. */
  readonly variadic?: boolean;
}

/** What `defineCommand` takes. */
export interface CommandDefinition<S extends z.ZodObject> {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /**
   * The options: each key is a flag, `maxLength` is `--max-length`. `.describe()` gives the text of
   * the help, `.default()` the default, `.meta({ value: "FILE" })` the placeholder.
   */
  readonly options: S;
  readonly positionals?: readonly Positional[];
  /**
   * The key of the positional that may name a JSON file with options; flags go before what the file
   * says.
   */
  readonly config?: string;
  /** Lines for the help, each a command. */
  readonly examples?: readonly string[];
  /** @param given the keys of the options that the user named, on the command line or in a file */
  run(options: z.output<S>, io: Io, given: ReadonlySet<string>): Promise<void>;
}

/** A command. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly options: z.ZodObject;
  readonly positionals: readonly Positional[];
  readonly config?: string;
  readonly examples: readonly string[];
  run(options: never, io: Io, given: ReadonlySet<string>): Promise<void>;
}

/**
 * Declares a command. `runCommand` makes its flags, its help and its validation from the schema.
 *
 * @example
 * ```ts
 * import { defineCommand, runCommand } from "chronograd/command";
 * import * as z from "zod";
 *
 * const count = defineCommand({
 *   name: "count",
 *   summary: "Counts to a number.",
 *   options: z.object({ to: z.int().min(1).default(3).describe("the last number") }),
 *   async run({ to }, io) {
 *     io.result({ numbers: Array.from({ length: to }, (_, i) => i + 1) });
 *   },
 * });
 * await runCommand(count, ["--to", "2", "--json"]); // => 0
 * ```
 */
export function defineCommand<S extends z.ZodObject>(definition: CommandDefinition<S>): Command {
  return { positionals: [], examples: [], ...definition };
}
