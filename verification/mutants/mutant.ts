/** What kind of mistake a mutant is. */
export type Kind =
  | "sign"
  | "factor"
  | "wrong function"
  | "forgotten term"
  | "wrong saved value"
  | "guard lost"
  | "missing reduction"
  | "wrong axis"
  | "range"
  | "swapped operands"
  | "transposed product"
  | "ties"
  | "mask ignored"
  | "mean as sum"
  | "wrong count"
  | "lost gradient"
  | "stale value reused"
  | "aliased memory"
  | "levels confused"
  | "off by one"
  | "off by one in time"
  | "boundary not cut"
  | "cut in the wrong place"
  | "weights of the wrong age"
  | "wrong state"
  | "gate order"
  | "forgotten bias"
  | "wrong losses"
  | "wrong weights of losses"
  | "clipping"
  | "optimizer";

/** One bug: a piece of source text and what it becomes. */
export interface Mutant {
  readonly name: string;
  readonly kind: Kind;
  /** The file, from the root of the repository. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** For one that is known to survive: why no law can tell it from what is right. */
  readonly why?: string;
}

/** Mutants of one file. */
export function inFile(file: string, mutants: readonly Omit<Mutant, "file">[]): Mutant[] {
  return mutants.map((mutant) => ({ ...mutant, file }));
}

/**
 * How often the text to find occurs in a source; a mutant that does not occur once is out of date.
 */
export function occurrences({ find }: Pick<Mutant, "find">, source: string): number {
  return source.split(find).length - 1;
}
