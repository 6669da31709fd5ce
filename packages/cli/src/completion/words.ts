import type { Command } from "../command/define.ts";
import { described, flagsOf } from "../command/flags.ts";

/** A flag, as a shell completes it. */
export interface FlagWords {
  /** `--max-length` */
  readonly flag: string;
  readonly text: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** The values, where there are few, or those that have names. */
  readonly values: readonly string[];
  /** Whether a file may stand there as well. */
  readonly files: boolean;
}

/** A command, as a shell completes it. */
export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly FlagWords[];
  /** The words that may stand without a flag; none where they are files. */
  readonly words: readonly string[];
}

/** The words of a declared command. */
export function wordsOf(command: Command): CommandWords {
  const options = new Map(described(command.options));
  const valuesOf = (key: string): string[] => {
    const { enum: own, items, examples } = options.get(key) ?? {};
    return (own ?? items?.enum ?? examples ?? []).map(String);
  };
  const own = flagsOf(command).map((option): FlagWords => {
    const { long, description, required } = option;
    return {
      flag: long!,
      text: description,
      takesValue: required,
      values: valuesOf(option.attributeName()),
      files: /FILE/.test(options.get(option.attributeName())?.value ?? ""),
    };
  });
  const common = ["--json", "--help"].map((flag) => ({
    flag,
    text: flag === "--json" ? "print the result as JSON" : "show what the command takes",
    takesValue: false,
    values: [],
    files: false,
  }));
  return {
    name: command.name,
    summary: command.summary,
    flags: [...own, ...common],
    words: command.positionals.flatMap(({ name }) => valuesOf(name)),
  };
}
