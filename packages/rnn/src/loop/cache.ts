import { type Backend, type Tensor, tree } from "@chronograd/autodiff";

/** Values kept for one owner; the one that was not used for longest gives way. */
const most = 24;

/**
 * What was made for chunks of steps: by its owner, such as a cell, by where the tensors live, and
 * by what they look like. Those used last are at the end. All values of a cache have one type.
 */
export type ChunkCache = WeakMap<object, WeakMap<Backend, Map<string, unknown>>>;

/**
 * The value for inputs: made now, or kept with its owner since inputs that looked alike.
 *
 * @param settings what else it depends on
 */
export function cached<T>(
  cache: ChunkCache,
  owner: object,
  inputs: object,
  settings: readonly unknown[],
  make: () => T,
): T {
  const leaves = tree.leavesWithPath(inputs);
  const [[, { backend }]] = leaves as [(typeof leaves)[number]];
  const homes = cache.get(owner) ?? new WeakMap<Backend, Map<string, unknown>>();
  cache.set(owner, homes);
  const own = homes.get(backend) ?? new Map<string, unknown>();
  homes.set(backend, own);
  const parts = settings.map(String);
  // What stands at two places is one value, in plans too.
  const places = new Map<Tensor, string>();
  for (const [path, x] of leaves) {
    parts.push(`${path} ${places.get(x) ?? `${x.dtype} ${x.shape}`}`);
    places.set(x, path);
  }
  const key = parts.join(";");
  const value = (own.get(key) as T | undefined) ?? make();
  own.delete(key);
  if (value === undefined) return value;
  own.set(key, value);
  if (own.size > most) own.delete(own.keys().next().value!);
  return value;
}
