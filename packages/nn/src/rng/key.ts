/** 128 bits, as four 32-bit words: what a generator's seed and names amount to. */
export type Key = readonly [number, number, number, number];

/**
 * The fractional part of the golden ratio: a start without structure (Knuth, TAOCP 3, section 6.4).
 */
const golden = 0x9e3779b9;

/**
 * A bijection of 32 bits in which every input bit flips each output bit half of the time (Appleby,
 * MurmurHash3).
 */
function mix(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) | 0;
}

/**
 * Stirs one word into a key. Each word of the key is replaced in turn by a bijection of itself that
 * depends on its neighbour, so for a given word the whole step is a bijection of 128 bits: no two
 * keys become equal.
 */
function absorb([a, b, c, d]: Key, word: number): Key {
  const w = mix((a ^ word) + golden);
  const x = mix(b + Math.imul(w, 3) + golden);
  const y = mix(c + Math.imul(x, 5) + golden);
  const z = mix(d + Math.imul(y, 7) + golden);
  return [mix(w + z), x, y, z];
}

/** The key of a seed. */
export function keyOfSeed(seed: number): Key {
  const high = Math.floor(seed / 2 ** 32);
  return settle(absorb(absorb([golden, ~golden, golden >>> 1, 1], seed | 0), high | 0));
}

/** The key of the generator called `name` beneath the generator of `parent`. */
export function keyOfChild(parent: Key, name: string): Key {
  let key = absorb(parent, name.length);
  for (let i = 0; i < name.length; i++) key = absorb(key, name.charCodeAt(i));
  return settle(key);
}

/** Two more rounds, so that the last word absorbed has reached every bit. */
function settle(key: Key): Key {
  return absorb(absorb(key, 1), 2);
}
