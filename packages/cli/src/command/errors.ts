/** A mistake in what was asked for: a flag, a file, a column. The exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was asked for could not be done, or found a fault. The exit code is 1. */
export class RunError extends Error {
  override readonly name = "RunError";
}

/**
 * What the packages refuse: a sentence that begins with the name of a function. Throws what is no
 * such error.
 */
export function sentenceOf(error: unknown): string {
  const { message } = error as Error;
  if (!/^\w+: /.test(message)) throw error;
  return message;
}
