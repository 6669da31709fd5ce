import { readFile } from "node:fs/promises";
import { UsageError } from "./errors.ts";

/** The object that a JSON file holds; a sentence for anything else. */
export async function readConfig(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "ENOENT" ? "there is no such file" : error.message;
    throw new UsageError(`cannot read the configuration ${path}: ${why}`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UsageError(`${path}: expected an object of options, got ${JSON.stringify(value)}`);
  }
  return value as Record<string, unknown>;
}
