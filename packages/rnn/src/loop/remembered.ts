import { tree } from "@chronograd/autodiff";
import type { ChunkSettings } from "./chunk.ts";

/** Values kept for one cell; the one that was not used for longest gives way. */
const most = 24;

/** What was made for a cell's chunks, by what they look like, those used last at the end. */
export type Remembered<T> = WeakMap<object, Map<string, T>>;

/** The value for a chunk: made now, or kept with the cell since one that looked alike. */
export function remembered<T>(
  store: Remembered<T>,
  cell: object,
  inputs: object,
  settings: ChunkSettings,
  make: () => T,
): T {
  const own = store.get(cell) ?? new Map<string, T>();
  store.set(cell, own);
  const key = signatureOf(inputs, settings);
  const value = own.get(key) ?? make();
  own.delete(key);
  own.set(key, value);
  if (own.size > most) own.delete(own.keys().next().value!);
  return value;
}

/** Structure, shapes and dtypes. */
function signatureOf(inputs: object, { length, reverse, by }: ChunkSettings): string {
  const parts = [length, reverse, ...by].map(String);
  for (const [path, { dtype, shape }] of tree.leavesWithPath(inputs)) {
    parts.push(`${path} ${dtype} ${shape}`);
  }
  return parts.join(";");
}
