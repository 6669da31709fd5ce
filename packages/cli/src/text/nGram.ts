import { checkOptions } from "../checkOptions.ts";

/** What is counted of the symbols that come after one context. */
interface Context {
  /** By symbol: its count. */
  readonly counts: Map<number, number>;
  total: number;
}

/** What `nGram` takes. */
export interface NGramOptions {
  /** How many symbols a count is of: the one to predict, and those before it. */
  readonly order: number;
  /** The size of the alphabet. */
  readonly symbols: number;
}

/** A model that predicts a symbol from the few before it. */
export interface NGram {
  /** The probability of the symbol at position `t` after those before it. */
  probability(codes: ArrayLike<number>, t: number): number;
  /** The negative logarithm of the probability of each symbol, in nats. */
  losses(codes: ArrayLike<number>): Float64Array;
}

/**
 * An n-gram model with interpolated Kneser-Ney smoothing (Kneser & Ney 1995, Improved backing-off
 * for m-gram language modeling; Chen & Goodman 1998, An empirical study of smoothing techniques):
 *
 * `p(x | c) = (max(n(c x) - D, 0) + D types(c) p(x | c')) / n(c)`
 *
 * where `c'` is the context `c` without its first symbol, `types(c)` how many symbols came after
 * `c`, and `D = n1 / (n1 + 2 n2)` by how many counts are 1 and 2. A count of the highest order is
 * how often a symbol came; one of a lower order before how many different symbols the context and
 * it came. The distribution below the lowest order is uniform. A context that never came says
 * nothing: the shorter one decides.
 *
 * @param codes the text to count, as whole numbers from 0 to below `symbols`
 * @throws for an order below 1, more contexts than numbers can name, and codes out of range
 *
 * @example
 * ```ts
 * import { nGram } from "chronograd/text";
 *
 * const codes = Int32Array.from("abababac", (letter) => letter.charCodeAt(0) - 97);
 * const model = nGram(codes, { order: 3, symbols: 3 });
 * const after = [0, 1, 2].map((x) => model.probability([1, 0, x], 2));
 * after.map((p) => p.toFixed(2)); // => ["0.04", "0.69", "0.28"]
 * ```
 */
export function nGram(codes: ArrayLike<number>, options: NGramOptions): NGram {
  checkOptions("nGram", options, ["order", "symbols"]);
  const { order, symbols } = options;
  checkSizes(order, symbols);
  checkCodes(codes, symbols);
  const levels = counted(codes, order, symbols);
  const discounts = levels.map(discountOf);
  const probability = (text: ArrayLike<number>, t: number): number => {
    let p = 1 / symbols;
    let context = 0;
    for (let length = 0; length < order && length <= t; length++) {
      if (length > 0) context += text[t - length]! * symbols ** (length - 1);
      const found = levels[length]!.get(context);
      if (found === undefined) break;
      const discount = discounts[length]!;
      const own = Math.max(0, (found.counts.get(text[t]!) ?? 0) - discount);
      p = (own + discount * found.counts.size * p) / found.total;
    }
    return p;
  };
  return {
    probability,
    losses(text) {
      checkCodes(text, symbols);
      return Float64Array.from({ length: text.length }, (_, t) => -Math.log(probability(text, t)));
    },
  };
}

/** Counts by the length of the context, and by the context as a number to the base of `symbols`. */
function counted(codes: ArrayLike<number>, order: number, symbols: number): Map<number, Context>[] {
  const levels = Array.from({ length: order }, () => new Map<number, Context>());
  /** Adds one; true where that was the first. */
  const add = (length: number, context: number, symbol: number): boolean => {
    const level = levels[length]!;
    let found = level.get(context);
    if (found === undefined) {
      found = { counts: new Map(), total: 0 };
      level.set(context, found);
    }
    const before = found.counts.get(symbol) ?? 0;
    found.counts.set(symbol, before + 1);
    found.total++;
    return before === 0;
  };
  for (let t = 0; t < codes.length; t++) {
    // Near the start no context is as long as the others.
    const longest = Math.min(t, order - 1);
    let context = 0;
    for (let length = longest; length > 0; length--) {
      context = context * symbols + codes[t - length]!;
    }
    // What came for the first time is a new symbol before the next shorter one.
    for (let length = longest; add(length, context, codes[t]!) && length > 0; length--) {
      context %= symbols ** (length - 1);
    }
  }
  return levels;
}

/** Ney, Essen & Kneser 1994; a half where the counts are too few for it. */
function discountOf(level: ReadonlyMap<number, Context>): number {
  let ones = 0;
  let twos = 0;
  for (const { counts } of level.values()) {
    for (const count of counts.values()) {
      if (count === 1) ones++;
      if (count === 2) twos++;
    }
  }
  return ones > 0 && twos > 0 ? ones / (ones + 2 * twos) : 0.5;
}

function checkSizes(order: number, symbols: number): void {
  for (const [name, value] of Object.entries({ order, symbols })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(`nGram: ${name} must be a whole number of at least 1, got ${value}`);
  }
  if (symbols ** (order - 1) <= Number.MAX_SAFE_INTEGER) return;
  throw new RangeError(
    `nGram: ${symbols} symbols have too many contexts of ${order - 1} for numbers to name; choose a smaller order`,
  );
}

function checkCodes(codes: ArrayLike<number>, symbols: number): void {
  for (let t = 0; t < codes.length; t++) {
    const code = codes[t]!;
    if (Number.isInteger(code) && code >= 0 && code < symbols) continue;
    throw new RangeError(
      `nGram: code ${t} must be a whole number from 0 to ${symbols - 1}, got ${code}`,
    );
  }
}
