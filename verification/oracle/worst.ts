import { type Tensor, tree } from "@chronograd/autodiff";
import type { Finding } from "@chronograd/autodiff/testing";
import type { Elements, Written } from "./fixture.ts";

/** The largest of many differences between the library's numbers and PyTorch's, and where it is. */
export class Worst implements Finding {
  error = 0;
  cases = 0;
  what?: string;

  /**
   * Compares one number with PyTorch's: `|a - b| / max(floor, |a|, |b|)`, infinite where either is
   * NaN. With a floor of 1 numbers near 0 are compared by their difference, with 0 by their own
   * size.
   */
  number(actual: number, expected: number, where: () => string, floor = 1): void {
    this.cases++;
    if (actual === expected) return;
    const scale = Math.max(floor, Math.abs(actual), Math.abs(expected));
    const relative = Math.abs(actual - expected) / scale;
    this.see(Number.isNaN(relative) ? Infinity : relative, () => {
      return `${where()}: ${actual}, PyTorch ${expected}`;
    });
  }

  /** Takes note of an error. */
  see(error: number, what: () => string): void {
    if (error <= this.error) return;
    this.error = error;
    this.what = what();
  }

  /** Compares a tensor, element by element; a wrong shape is an infinite error. */
  tensor(actual: Tensor, { shape, values }: Elements, where: string, floor = 1): void {
    if (actual.shape.join() !== shape.join()) {
      this.cases++;
      this.see(Infinity, () => `${where}: shape [${actual.shape}], PyTorch [${shape}]`);
      return;
    }
    const elements = actual.toTypedArray();
    for (let i = 0; i < values.length; i++) {
      const at = () => `${where}[${position(i, shape)}]`;
      this.number(elements[i]!, Number(values[i]), at, floor);
    }
  }

  /** Compares a tree of tensors with elements by path; a missing leaf is an infinite error. */
  tree(
    actual: unknown,
    expected: Readonly<Record<string, Elements | readonly Written[]>>,
    where: string,
  ): void {
    const leaves = new Map(tree.leavesWithPath(actual));
    for (const [path, elements] of Object.entries(expected)) {
      const leaf = leaves.get(path);
      if (leaf === undefined) this.see(Infinity, () => `${where} ${path}: missing`);
      else
        this.tensor(
          leaf,
          "shape" in elements ? elements : like(leaf, elements),
          `${where} ${path}`,
        );
    }
    if (leaves.size > Object.keys(expected).length) {
      this.see(Infinity, () => `${where}: ${[...leaves.keys()]}, PyTorch ${Object.keys(expected)}`);
    }
  }
}

function like({ shape }: Tensor, values: readonly Written[]): Elements {
  return { shape, values };
}

/** Indices of the i-th element in row-major order. */
function position(i: number, shape: readonly number[]): string {
  const indices: number[] = [];
  let rest = i;
  for (const length of shape.toReversed()) {
    indices.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return indices.join(",");
}
