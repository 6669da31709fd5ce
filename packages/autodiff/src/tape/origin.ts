/** A line of a program. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Ops are some frames below the line that applies them. */
const frames = 24;
/** A frame of a stack in V8: `at f (file:///a.ts:1:2)`, or `at file:///a.ts:1:2`. */
const v8 = /^at (?:.*? \(|async )?(.+):(\d+):(\d+)\)?$/;
/** Elsewhere: `f@file:///a.ts:1:2`. A path may hold an `@` too. */
const others = /^(?:[^/@]*@)?(.+):(\d+):(\d+)$/;
/** A file, and nothing such as `<anonymous>`. */
const isFile = /^(?:node:|[a-z-]+:\/\/|\/|[A-Za-z]:[\\/])/;

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
  // Not `new URL("../", import.meta.url)`, which bundlers take for a file to bring along. In a
  // bundle this package's lines cannot be told from others.
  const root = /^(.*\/)(?:src|dist)\/tape\/origin\.[jt]s$/.exec(plainPath(import.meta.url))?.[1];
  if (root === undefined) return [];
  const lines: SourceLine[] = [];
  for (const text of (captured.stack ?? "").split("\n")) {
    const match = v8.exec(text.trim()) ?? others.exec(text.trim());
    if (match === null || !isFile.test(match[1]!)) continue;
    const file = plainPath(match[1]!);
    const isOwn = file.startsWith(`${root}dist/`) || file.startsWith(`${root}src/`);
    if (isOwn || file.startsWith("node:")) continue;
    lines.push({ file, line: Number(match[2]), column: Number(match[3]) });
  }
  return lines;
}
