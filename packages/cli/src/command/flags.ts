import { Option } from "commander";
import * as z from "zod";
import type { Command } from "./define.ts";
import { UsageError } from "./errors.ts";
import { hintFor } from "./nearest.ts";

/** What the JSON schema of one option says. */
interface Described {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly items?: { readonly type?: string; readonly enum?: readonly unknown[] };
  /** What a value may be, where it may be of several types. */
  readonly anyOf?: readonly { readonly type?: string }[];
  readonly value?: string;
  /** Some of the values that it takes, which a shell offers. */
  readonly examples?: readonly unknown[];
}

/** The JSON schema of a command's options. */
export function schemaOf(options: z.ZodObject): Record<string, unknown> {
  return z.toJSONSchema(options, { io: "input" });
}

/** Each option with what its schema says. */
export function described(options: z.ZodObject): [key: string, Described][] {
  return Object.entries((schemaOf(options).properties ?? {}) as Record<string, Described>);
}

/** `maxLength` as `--max-length`. */
export const flagOf = (key: string): string =>
  `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Values as a person writes them: lists with commas. */
const shown = (value: unknown): string => (Array.isArray(value) ? value.join(",") : String(value));

/** A list that is given in several flags. */
const joined = (word: string, before: string | undefined): string =>
  before === undefined ? word : `${before},${word}`;

/** The flags of a command, without the keys of its positionals. */
export function flagsOf({ options, positionals }: Command): Option[] {
  const taken = new Set(positionals.map(({ name }) => name));
  return described(options)
    .filter(([key]) => !taken.has(key))
    .map(([key, of]) => {
      const text = of.description ?? "";
      if (of.type === "boolean") {
        return of.default === true
          ? new Option(flagOf(key).replace("--", "--no-"), `without ${text}`)
          : new Option(flagOf(key), text);
      }
      const number = of.type === "integer" || of.type === "number" ? "N" : "TEXT";
      const value = of.value ?? of.enum?.join("|") ?? (of.type === "array" ? "LIST" : number);
      const start = of.default === undefined ? "" : shown(of.default);
      const flag = new Option(`${flagOf(key)} <${value}>`, start ? `${text} (${start})` : text);
      return of.type === "array" ? flag.argParser(joined) : flag;
    });
}

/** A word of the command line as its option wants it; what does not fit is left to the schema. */
function typed(text: unknown, { type, items, anyOf = [] }: Described): unknown {
  if (typeof text !== "string") return text;
  if (type === "array") return text.split(",").map((part) => typed(part.trim(), items ?? {}));
  const types = [type, ...anyOf.map((each) => each.type)];
  if (!types.some((each) => each === "integer" || each === "number")) return text;
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isNaN(number) ? text : number;
}

/** The words of a command line as the values of its options. */
export function valuesOf(
  options: z.ZodObject,
  words: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const values = described(options).map(([key, of]) => [key, typed(words[key], of)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/**
 * The options that values stand for. `named` tells where a value of a key came from.
 *
 * Throws a `UsageError` that names the first value that does not fit.
 */
export function checked<S extends z.ZodObject>(
  options: S,
  values: Readonly<Record<string, unknown>>,
  named: (key: string) => string,
): z.output<S> {
  const result = options.strict().safeParse(values);
  if (result.success) return result.data as z.output<S>;
  const issue = result.error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const [unknown = ""] = issue.keys;
    throw new UsageError(
      `${named(unknown)}: there is no such option${hintFor(unknown, Object.keys(options.shape))}`,
    );
  }
  const [key, ...inner] = issue.path.map(String);
  const name =
    key === undefined ? "" : `${named(key)}${inner.map((part) => `[${part}]`).join("")}: `;
  const got = issue.path.reduce<unknown>((at, part) => (at as never)?.[part], values);
  const came =
    key === undefined ? "" : `, got ${got === undefined ? "nothing" : JSON.stringify(got)}`;
  // The value itself follows, which says more than its type.
  const message = issue.message
    .replace(/^Invalid (input|option): /, "")
    .replace(/, received \w+$/, "");
  const [first = "", ...rest] = message;
  throw new UsageError(`${name}${first.toLowerCase()}${rest.join("")}${came}`);
}
