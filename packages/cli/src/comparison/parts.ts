/** A list in so many parts, each as long as the others; at most as many as it has elements. */
export function parts<T>(list: readonly T[], most: number): (readonly T[])[] {
  const count = Math.min(most, list.length);
  const begin = (part: number) => Math.floor((part * list.length) / count);
  return Array.from({ length: count }, (_, part) => list.slice(begin(part), begin(part + 1)));
}
