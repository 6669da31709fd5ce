import type { Command } from "../command/define.ts";
import { described, flagsOf } from "../command/flags.ts";

/** A flag, as a shell completes it. */
export interface FlagWords {
  /** `--max-length` */
  readonly flag: string;
  readonly text: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** The values, where there are few. */
  readonly values: readonly string[];
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
    const { enum: own, items } = options.get(key) ?? {};
    return (own ?? items?.enum ?? []).map(String);
  };
  const own = flagsOf(command).map((option): FlagWords => {
    const { long, description, required } = option;
    return {
      flag: long!,
      text: description,
      takesValue: required,
      values: valuesOf(option.attributeName()),
    };
  });
  const common = ["--json", "--help"].map((flag) => ({
    flag,
    text: flag === "--json" ? "print the result as JSON" : "show what the command takes",
    takesValue: false,
    values: [],
  }));
  return {
    name: command.name,
    summary: command.summary,
    flags: [...own, ...common],
    words: command.positionals.flatMap(({ name }) => valuesOf(name)),
  };
}
