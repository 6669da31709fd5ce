import * as z from "zod";
import { UsageError } from "../command/errors.ts";
import type { Sizes } from "./loadCell.ts";

/** Options of every command that takes a file with a cell; spread them into a schema. */
export const cellFlags: {
  readonly size: z.ZodDefault<z.ZodArray<z.ZodString>>;
  readonly export: z.ZodOptional<z.ZodString>;
} = {
  size: z
    .array(z.string())
    .default([])
    .describe("a size or option of the cell, as input=3 or activation=relu; may be repeated")
    .meta({ value: "NAME=VALUE" }),
  export: z
    .string()
    .optional()
    .describe("which export is the cell, where the file has several")
    .meta({ value: "NAME" }),
};

/** `["input=3", "activation=relu"]` as `{ input: 3, activation: "relu" }`. */
export function parseSizes(words: readonly string[]): Sizes {
  const entries = words.map((word) => {
    const [, name, value = ""] = /^([A-Za-z_$][\w$]*)=(.+)$/.exec(word) ?? [];
    if (name === undefined) {
      throw new UsageError(
        `--size: expected name=value such as input=3, got ${JSON.stringify(word)}`,
      );
    }
    const number = Number(value);
    return [name, Number.isNaN(number) ? value : number] as const;
  });
  return Object.fromEntries(entries);
}
