import { isTensor, type Tensor, tree } from "@chronograd/autodiff";
import type { Finding } from "@chronograd/autodiff/testing";

/** The largest of many differences, and where it is. */
export class Tally implements Finding {
  error = 0;
  cases = 0;
  what?: string;

  /** Takes note of one comparison; NaN counts as infinitely wrong. */
  add(error: number, what: () => string): void {
    this.cases++;
    const size = Number.isNaN(error) ? Infinity : error;
    if (size <= this.error) return;
    this.error = size;
    this.what = what();
  }

  /** Something that is right or wrong. */
  check(isRight: boolean, what: () => string): void {
    this.add(isRight ? 0 : Infinity, what);
  }

  /** Two numbers, relative to the larger of both and 1. */
  number(found: number, expected: number, where: () => string): void {
    const isSame = Object.is(found, expected) || found === expected;
    const scale = Math.max(1, Math.abs(found), Math.abs(expected));
    this.add(isSame ? 0 : Math.abs(found - expected) / scale, () => {
      return `${where()}: ${found}, expected ${expected}`;
    });
  }

  /** Two lists of numbers. */
  list(found: ArrayLike<number>, expected: ArrayLike<number>, where: string): void {
    const lengths = () => `${where}: ${found.length} numbers, expected ${expected.length}`;
    this.check(found.length === expected.length, lengths);
    for (let i = 0; i < Math.min(found.length, expected.length); i++) {
      this.number(found[i]!, expected[i]!, () => `${where}, element ${i}`);
    }
  }

  /** Two lists that must be equal bit by bit. */
  bits(found: ArrayLike<number>, expected: ArrayLike<number>, where: string): void {
    this.check(
      found.length === expected.length &&
        Array.from(found).every((value, i) => Object.is(value, expected[i])),
      () => `${where}: ${Array.from(found)}, expected ${Array.from(expected)}`,
    );
  }

  /** Two trees of tensors, or of numbers by path. */
  trees(found: unknown, expected: unknown, where: string): void {
    const [mine, theirs] = [numbers(found), numbers(expected)];
    const paths = (nested: Numbers) => Object.keys(nested).sort().join(", ");
    this.check(paths(mine) === paths(theirs), () => {
      return `${where}: has ${paths(mine)}, expected ${paths(theirs)}`;
    });
    for (const [path, values] of Object.entries(theirs)) {
      if (mine[path] !== undefined) this.list(mine[path], values, `${where} ${path}`);
    }
  }

  /** A call that must throw an error whose message has these words. */
  throws(call: () => unknown, words: RegExp, where: string): void {
    let message: string | undefined;
    try {
      call();
    } catch (error) {
      message = error instanceof Error ? error.message : String(error);
    }
    this.check(message !== undefined && words.test(message), () => {
      return message === undefined ? `${where}: nothing was thrown` : `${where}: threw ${message}`;
    });
  }
}

/** Elements by path. */
export type Numbers = Readonly<Record<string, ArrayLike<number>>>;

/** The elements of a tree's tensors by path; numbers by path stay. */
export function numbers(nested: unknown): Numbers {
  const isPlain =
    typeof nested === "object" &&
    nested !== null &&
    !isTensor(nested) &&
    Object.values(nested).some((leaf) => Array.isArray(leaf) && typeof leaf[0] === "number");
  if (isPlain) return nested as Numbers;
  return Object.fromEntries(tree.leavesWithPath(nested).map(([path, x]) => [path, values(x)]));
}

/** The elements of a tensor. */
export function values(x: Tensor): number[] {
  return Array.from(x.toTypedArray());
}

/** Elements of several trees added up. */
export function total(parts: readonly Numbers[]): Record<string, number[]> {
  const sum: Record<string, number[]> = {};
  for (const part of parts) {
    for (const [path, list] of Object.entries(part)) {
      const before = sum[path];
      sum[path] = Array.from(list, (value, i) => value + (before?.[i] ?? 0));
    }
  }
  return sum;
}
