/**
 * Throws a sentence for options that are no plain object, or have a name that `known` has not; it
 * says the nearest right name. `undefined` stands for no options.
 *
 * @param where the function that was called
 * @param known all names, in the order in which they are documented
 *
 * @example
 * ```ts
 * import { checkOptions } from "@chronograd/autodiff/internal";
 *
 * let said = "";
 * try {
 *   checkOptions("adam", { lr: 0.1 }, ["learningRate", "beta1"]);
 * } catch (error) {
 *   said = (error as Error).message;
 * }
 * said; // => 'adam: there is no option "lr", did you mean "learningRate"? It takes learningRate, beta1'
 * ```
 */
export function checkOptions(where: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  const isObject = typeof options === "object" && options !== null && !Array.isArray(options);
  // Options are checked wherever they are given: nothing is made for those that are known.
  if (isObject && allKnown(options, known)) return;
  const takes = `It takes ${known.join(", ")}`;
  if (!isObject) {
    const got = Array.isArray(options) ? "an array" : String(options);
    throw new TypeError(
      `${where}: options must be an object such as { ${known[0]}: ... }, got ${got}. ${takes}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const nearest = nearestOf(name, known);
    const hint = nearest === undefined ? ". " : `, did you mean "${nearest}"? `;
    throw new TypeError(`${where}: there is no option "${name}"${hint}${takes}`);
  }
}

function allKnown(options: object, known: readonly string[]): boolean {
  for (const name in options) if (!known.includes(name)) return false;
  return true;
}

/**
 * The one of `known` that `name` most likely stands for, if any is near: misspelt, shortened, or in
 * other letters.
 */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const distances = known.map((candidate): [string, number] => {
    const other = candidate.toLowerCase();
    const distance = editDistance(plain, other) / Math.max(plain.length, other.length);
    const isPart = isShortened(plain, other) || isShortened(other, plain);
    return [candidate, isPart ? Math.min(distance, 0.2) : distance];
  });
  const [nearest] = distances.sort((a, b) => a[1] - b[1]);
  return nearest !== undefined && nearest[1] <= 0.4 ? nearest[0] : undefined;
}

/**
 * Whether `short` is the first letter of `long` and some of the others, in their order: `lr` of
 * `learningrate`.
 */
function isShortened(short: string, long: string): boolean {
  if (short.length < 2 || short[0] !== long[0]) return false;
  let at = 0;
  for (const letter of long) if (letter === short[at]) at++;
  return at === short.length;
}

/** Letters to insert, delete, replace, or exchange with the next (Wagner & Lowrance 1975). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isExchanged = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const exchanged = isExchanged ? before[j - 2]! + 1 : Infinity;
      next.push(Math.min(replaced, exchanged, row[j]! + 1, next[j - 1]! + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
