import { arange, type Tensor, tree, where } from "@chronograd/autodiff";
import type { Prepared } from "./prepare.ts";

/** The rows of every tensor of a tree that has rows, in the order of an index. */
export function takeRows<T>(values: T, rows: Tensor): T {
  return tree.map(values, (x: Tensor) => (x.rank === 0 ? x : x.gather(rows))) as T;
}

/**
 * How rows are filled under a mask that cannot be read, as in a compiled function: by the first row
 * that has a step.
 */
export function fillingOf(mask: Tensor): Required<Pick<Prepared, "rows" | "isThere">> {
  const own = arange(0, mask.size, 1, { dtype: "int32", backend: mask.backend });
  return { rows: where(mask, own, mask.argmax(0)), isThere: mask.max() };
}

/** The rows of an input or a target, those without a step taken by one that has a step. */
export function fillRows<T>(values: T, { rows, isThere }: Pick<Prepared, "rows" | "isThere">): T {
  if (rows === undefined) return values;
  const filled = takeRows(values, rows);
  if (isThere === undefined) return filled;
  return tree.map(filled, (x: Tensor) => where(isThere, x, 0)) as T;
}

/** `a` in the rows where `mask` is 1, `b` in the others, for trees of one structure. */
export function selectRows<T>(what: string, mask: Tensor, a: T, b: T): T {
  return tree.zip(a, b, (x, y, path) => {
    if (x === y) return x;
    const [rows] = mask.shape;
    const fits = x.shape.join() === y.shape.join() && x.shape[0] === rows;
    if (!fits) {
      const name = path === "" ? "the state" : `the state "${path}"`;
      throw new RangeError(
        `${what} chooses among ${rows} rows, and ${name} is [${x.shape}] on one side and [${y.shape}] on the other; give the state a first axis of ${rows} rows, and one shape at all steps`,
      );
    }
    return where(rowWise(mask, x), x, y);
  }) as T;
}

/**
 * Throws a sentence unless a tensor has one row of elements for each of those that a mask marks.
 */
export function checkRowAxis(what: string, mask: Tensor, { shape }: Tensor, wayOut: string): void {
  if (shape[0] === mask.size) return;
  throw new RangeError(
    `${what} has shape [${shape}], and a mask needs a first axis of ${mask.size} rows, so that those without a step can be left out; ${wayOut}`,
  );
}

/** `x` in the rows where `mask` is 1, 0 in the others. */
export function zeroRows(mask: Tensor, x: Tensor): Tensor {
  return where(rowWise(mask, x), x, 0);
}

/** A mark `[B]` or `[T, B]` that broadcasts against `x`, which has these axes first. */
export function rowWise(mark: Tensor, x: Tensor): Tensor {
  return mark.reshape([...mark.shape, ...x.shape.slice(mark.rank).map(() => 1)]);
}
