import { UsageError } from "./errors.ts";
import { readText } from "./readInput.ts";

/** The object that a JSON file holds; a sentence for anything else. */
export function readConfig(path: string): Record<string, unknown> {
  const text = readText(path, `cannot read the configuration ${path}`, "save it as UTF-8");
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
