/**
 * What a window says of the threads that run it, as a line for the user; nothing where one thread
 * runs all rows and nothing else was asked for.
 *
 * @param explained what `window.explain()` gives
 * @param threads how many were asked for
 * @param ranks how many share the rows
 */
export function threadsLine(
  explained: string,
  { threads, ranks }: { readonly threads: "auto" | number; readonly ranks: number },
): string | undefined {
  const shards = /; for each of (\d+) shards(?: of the rows)?(?:, (.*?))?(?:;|$)/.exec(explained);
  if (shards !== null) {
    return `Threads: ${shards[1]} shards of the rows${ranks > 1 ? " of each rank" : ""}, ${shards[2] ?? "one after the other"}`;
  }
  const why = /; all rows on one thread, because (.*?)(?:;|$)/.exec(explained);
  if (why === null || threads === "auto" || threads === 1) return undefined;
  return `Threads: all rows on one, because ${why[1]}`;
}
