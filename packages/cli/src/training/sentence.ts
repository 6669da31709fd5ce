import { RunError, UsageError } from "../command/errors.ts";

/**
 * An error of work that has begun, as the user is told it. What the packages refuse is a sentence
 * that begins with the name of a function, or of the rank that it failed on; a fault of what the
 * user named is no longer one of the call.
 */
export function sentence(error: unknown): unknown {
  if (error instanceof RunError) return error;
  const { message } = error as Error;
  const isSentence = /^(worker \d+ of \d+: )?\w+(\.\w+)?: /.test(message);
  return error instanceof UsageError || isSentence ? new RunError(message) : error;
}
