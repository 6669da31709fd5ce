import { type Tensor, tree } from "@chronograd/autodiff";
import type { Finding } from "@chronograd/autodiff/testing";

/** Compares numbers, and keeps the largest error with the words for it. */
export class Tally {
  error = 0;
  cases = 0;
  what: string | undefined;

  /** Takes one error; words are made only for a new largest. */
  add(error: number, what: () => string): void {
    this.cases++;
    const size = Number.isNaN(error) ? Infinity : error;
    if (size <= this.error) return;
    this.error = size;
    this.what = what();
  }

  /** Takes something that is right or wrong. */
  check(isRight: boolean, what: () => string): void {
    this.add(isRight ? 0 : Infinity, what);
  }

  /** Two numbers that should be the same, relative to `scale`; two NaN are the same. */
  numbers(found: number, expected: number, scale: number, where: () => string): void {
    const isSame = found === expected || (Number.isNaN(found) && Number.isNaN(expected));
    this.add(isSame ? 0 : Math.abs(found - expected) / scale, () => {
      return `${where()}: ${found}, expected ${expected}`;
    });
  }

  /**
   * Two trees that should have the same structure, shapes and elements: errors are relative to a scale, or to the largest
   * element of both.
   */
  trees(found: unknown, expected: unknown, where: string, scale: number | "relative" = 1): void {
    const others = new Map(tree.leavesWithPath(expected));
    const mine = new Map(tree.leavesWithPath(found));
    const all = [...mine.values(), ...others.values()].map((x) => largest(x.toTypedArray()));
    const by = scale === "relative" ? Math.max(0, ...all) : scale;
    for (const [path, x] of mine) {
      const name = nameOf(where, path);
      const other = others.get(path);
      this.check(other !== undefined, () => `${name} is there, and should not be`);
      if (other === undefined) continue;
      const isAlike = other.shape.join() === x.shape.join();
      this.check(isAlike, () => `${name} has shape [${x.shape}], expected [${other.shape}]`);
      if (!isAlike) continue;
      const [a, b] = [x.toTypedArray(), other.toTypedArray()];
      for (let i = 0; i < a.length; i++) {
        this.numbers(a[i]!, b[i]!, by, () => `${name}${indexOf(i, x)}`);
      }
    }
    for (const path of others.keys()) {
      this.check(mine.has(path), () => `${nameOf(where, path)} is missing`);
    }
  }

  finding(): Finding {
    const { error, cases, what } = this;
    return { error, cases, ...(what !== undefined && { what }) };
  }
}

/** The largest size of the finite elements. */
export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}

/** A leaf of a tree in words: `state.h`; after a space, the path by itself. */
export function nameOf(nested: string, path: string): string {
  if (path === "") return nested.trimEnd();
  return nested === "" || nested.endsWith(" ") ? `${nested}${path}` : `${nested}.${path}`;
}

/** The place of element `i` of a tensor: `[1,2]`; nothing for a scalar. */
export function indexOf(i: number, { shape }: Pick<Tensor, "shape">): string {
  if (shape.length === 0) return "";
  const index: number[] = [];
  let rest = i;
  for (const length of [...shape].reverse()) {
    index.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return `[${index}]`;
}
