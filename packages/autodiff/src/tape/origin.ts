/** A line of a program. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Ops are some frames below the line that applies them. */
const frames = 24;
/** A frame of a stack: V8's `at f (file:///a.ts:1:2)`, or `f@file:///a.ts:1:2` elsewhere. */
const frame =
  /(?:\(|@|at (?:async )?)?((?:node:|[a-z-]+:\/\/|\/|[A-Za-z]:[\\/])[^()@]*?):(\d+):(\d+)\)?$/;

/** The present stack, kept unread: reading it is what costs. */
export function capture(): Error {
  const engine = Error as { stackTraceLimit?: number };
  const { stackTraceLimit } = engine;
  if (stackTraceLimit !== undefined) engine.stackTraceLimit = frames;
  const here = new Error();
  if (stackTraceLimit !== undefined) engine.stackTraceLimit = stackTraceLimit;
  return here;
}

function plainPath(url: string): string {
  return decodeURI(url.replace(/^file:\/\//, "").replace(/[?#].*$/, ""));
}

/**
 * The innermost lines of a captured stack that are not of this package: the line itself, then who
 * called it.
 */
export function linesOf(captured: Error): SourceLine[] {
  // Not `new URL("../", import.meta.url)`, which bundlers take for a file to bring along.
  const own = plainPath(import.meta.url.replace(/[^/]+\/[^/]*$/, ""));
  const lines: SourceLine[] = [];
  for (const text of (captured.stack ?? "").split("\n")) {
    const match = frame.exec(text.trim());
    if (match === null) continue;
    const file = plainPath(match[1]!);
    if (file.startsWith(own) || file.startsWith("node:")) continue;
    lines.push({ file, line: Number(match[2]), column: Number(match[3]) });
  }
  return lines;
}
