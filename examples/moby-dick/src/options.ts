import { parseArgs } from "node:util";

/** The settings of a run. */
export interface Options {
  readonly text: string | undefined;
  readonly cell: "lstm" | "gru" | "elman";
  readonly hidden: number;
  readonly batch: number;
  readonly k1: number;
  readonly k2: number;
  readonly clip: number;
  readonly lr: number;
  readonly seconds: number;
  readonly windows: number | undefined;
  readonly save: number;
  readonly seed: number;
  readonly resume: string | undefined;
  readonly temperature: number;
  readonly name: string | undefined;
}

/** One option: how it is shown, what it means, its default, and what it accepts. */
interface Flag {
  readonly value: string;
  readonly help: string;
  readonly fallback?: string;
  readonly accepts?: { readonly what: string; readonly test: (value: number) => boolean };
  readonly choices?: readonly string[];
}

const positive = { what: "a number above 0", test: (x: number) => x > 0 && Number.isFinite(x) };
const count = {
  what: "a whole number of at least 1",
  test: (x: number) => Number.isInteger(x) && x >= 1,
};

const flags: Readonly<Record<keyof Options, Flag>> = {
  text: { value: "FILE", help: "a UTF-8 text to learn; Moby Dick unless given" },
  cell: {
    value: "lstm|gru|elman",
    help: "the recurrent cell",
    fallback: "lstm",
    choices: ["lstm", "gru", "elman"],
  },
  hidden: { value: "N", help: "hidden units", fallback: "128", accepts: count },
  batch: {
    value: "N",
    help: "places in the text that are read side by side",
    fallback: "32",
    accepts: count,
  },
  k1: { value: "N", help: "characters between updates", fallback: "25", accepts: count },
  k2: {
    value: "N",
    help: "characters that a gradient reaches back, at least k1",
    fallback: "50",
    accepts: count,
  },
  clip: {
    value: "X",
    help: "largest global norm of a gradient",
    fallback: "0.5",
    accepts: positive,
  },
  lr: { value: "X", help: "learning rate of Adam", fallback: "0.004", accepts: positive },
  seconds: { value: "N", help: "training time", fallback: "60", accepts: positive },
  windows: {
    value: "N",
    help: "ends after this many windows since the run began, if time allows",
    accepts: count,
  },
  save: { value: "N", help: "seconds between checkpoints", fallback: "10", accepts: positive },
  seed: {
    value: "N",
    help: "seed of every random draw",
    fallback: "1",
    accepts: {
      what: "a whole number from 0 to 4294967295",
      test: (x) => Number.isInteger(x) && x >= 0 && x < 2 ** 32,
    },
  },
  resume: {
    value: "DIR",
    help: "go on with the run in this folder; of its options --seconds, --windows, --save and --temperature can change",
  },
  temperature: {
    value: "X",
    help: "temperature of the sample at the end",
    fallback: "0.7",
    accepts: positive,
  },
  name: { value: "NAME", help: "name of the folder below runs/; numbered unless given" },
};

/** The text that `--help` prints. */
export function help(): string {
  const lines = Object.entries(flags).map(([name, { value, help, fallback }]) => {
    const shown = `  --${name} ${value}`.padEnd(28);
    return `${shown}${help}${fallback === undefined ? "" : ` (${fallback})`}`;
  });
  return [
    "Usage: npm start -- [options]",
    "",
    "Trains a character-level recurrent network by truncated back-propagation through time.",
    "",
    ...lines,
    `${"  --help".padEnd(28)}this text`,
  ].join("\n");
}

/** A mistake on the command line, in a sentence. */
export class UsageError extends Error {}

function read(name: keyof Options, text: string | undefined): string | number | undefined {
  const { fallback, accepts, choices, value } = flags[name];
  const given = text ?? fallback;
  if (given === undefined) return undefined;
  if (choices !== undefined && !choices.includes(given)) {
    throw new UsageError(
      `--${name} must be one of ${choices.join(", ")}, got ${JSON.stringify(given)}`,
    );
  }
  if (accepts === undefined) {
    if (given === "") throw new UsageError(`--${name} expects ${value}, got nothing`);
    return given;
  }
  const number = given.trim() === "" ? Number.NaN : Number(given);
  if (!accepts.test(number)) {
    throw new UsageError(`--${name} must be ${accepts.what}, got ${JSON.stringify(given)}`);
  }
  return number;
}

/**
 * The options of a command line, and which of them were named; `undefined` when help is asked for.
 */
export function parseOptions(
  args: readonly string[],
): { options: Options; given: ReadonlySet<string> } | undefined {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        ...Object.fromEntries(
          Object.keys(flags).map((name) => [name, { type: "string" as const }]),
        ),
      },
    }));
  } catch (error) {
    const known = Object.keys(flags)
      .map((name) => `--${name}`)
      .join(" ");
    throw new UsageError(
      `${(error as Error).message.split(". To specify")[0]}. The options are ${known} --help`,
    );
  }
  if (values.help === true) return undefined;
  const names = Object.keys(flags) as (keyof Options)[];
  const options = Object.fromEntries(
    names.map((name) => [name, read(name, values[name] as string | undefined)]),
  ) as unknown as Options;
  if (options.k2 < options.k1) {
    throw new UsageError(`--k2 must be at least --k1, got k1 ${options.k1} and k2 ${options.k2}`);
  }
  if (options.name !== undefined && !/^[\w.-]+$/.test(options.name)) {
    throw new UsageError(
      `--name may hold letters, digits, ".", "_" and "-", got ${JSON.stringify(options.name)}`,
    );
  }
  return { options, given: new Set(Object.keys(values)) };
}
