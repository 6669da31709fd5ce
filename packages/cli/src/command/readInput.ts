import { readFileSync, statSync } from "node:fs";
import { UsageError } from "./errors.ts";

/**
 * The bytes of a file that the user named.
 *
 * Throws a `UsageError` with the reason, which begins with `refusal`.
 */
export function readBytes(path: string, refusal: string): Uint8Array {
  try {
    const found = statSync(path);
    // A device may have no end.
    const other = found.isDirectory() ? "a folder" : found.isCharacterDevice() && "a device";
    if (other) throw new UsageError(`${refusal}: it is ${other}, and no file`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(`${refusal}: ${code === "ENOENT" ? "there is no such file" : message}`);
  }
}

/**
 * The text of a file that the user named.
 *
 * @param advice what to do where it is not UTF-8
 */
export function readText(path: string, refusal: string, advice: string): string {
  const bytes = readBytes(path, refusal);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${refusal}: it is not UTF-8 text; ${advice}`);
  }
}
