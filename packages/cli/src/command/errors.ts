/** A mistake in what was asked for: a flag, a file, a column. The exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was asked for could not be done, or found a fault. The exit code is 1. */
export class RunError extends Error {
  override readonly name = "RunError";
}
