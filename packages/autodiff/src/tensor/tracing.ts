/** Why a function cannot be compiled: it runs as it is, and `explain` says this. */
export class NotTraceable extends Error {}

/**
 * Why a function that threw cannot be compiled, also where a derivative rule threw; `undefined` for
 * other errors.
 */
export function reasonOf(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof NotTraceable) return each.message;
  }
  return undefined;
}

/**
 * Functions that are being recorded for a plan, one inside the other. It follows the call stack
 * exactly.
 */
let depth = 0;

/** Runs a function that is being recorded for a plan. */
export function tracing<T>(body: () => T): T {
  depth++;
  try {
    return body();
  } finally {
    depth--;
  }
}

/** How many functions around are being recorded. */
export function tracingDepth(): number {
  return depth;
}

/** Whether the function around is being recorded for a plan. */
export function isTracing(): boolean {
  return depth > 0;
}

/**
 * To be called by whatever reads or changes what is no argument of the function around it: a plan
 * would repeat what it saw once. Inside a function that is being compiled it throws, so that the
 * function runs as it is.
 *
 * @param why completes the sentence "not compiled, because ..."
 */
export function refuseTracing(why: string): void {
  if (depth > 0) throw new NotTraceable(why);
}
