import { relative } from "node:path";

/** A path as the user sees it from the present folder. */
export function placeOf(file: string): string {
  const path = relative(process.cwd(), file.replace(/^file:\/\//, ""));
  return path.startsWith("..") ? file : path;
}

/** The first line in the user's files, of the stack of an error or its cause: `my-cell.ts:3`. */
export function ownLine({ stack = "", cause }: Error): string | undefined {
  const frames = stack.matchAll(
    /^\s+at (?:.* \()?((?:file:\/\/)?(?:\w:)?[/\\][^()]+?):(\d+):\d+\)?$/gm,
  );
  for (const [, file = "", line] of frames) {
    const isOwn = !/\/node_modules\/|^node:|\/packages\/(autodiff|nn|rnn|cli)\//.test(file);
    if (isOwn) return `${placeOf(file)}:${line}`;
  }
  return cause instanceof Error ? ownLine(cause) : undefined;
}
