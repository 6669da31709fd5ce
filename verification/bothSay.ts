/**
 * What workers say of themselves, when a second one says the same: a list under one name, with a
 * place for each. `undefined` for what they add up.
 */
export function bothSay<T>(values: T): T | undefined {
  const entries = Object.entries(values as Record<string, unknown>);
  const [[name, list] = ["", undefined]] = entries;
  if (entries.length !== 1 || !Array.isArray(list)) return undefined;
  return { [name]: [list[0], list[0]] } as T;
}
