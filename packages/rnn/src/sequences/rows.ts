import { type Tensor, tensor, tree, where } from "@chronograd/autodiff";

/**
 * 1 at the first row that has a step, of a mask `[B]` or `[T, B]` that need not be read; 0 for all
 * others.
 */
export function firstOf(mask: Tensor): Tensor {
  return mask.mul(mask.cumsum(-1).equal(1));
}

/**
 * As `firstOf`, of some rows of a batch; where none of them has a step, the first of all: its
 * state, which takes the places of the others, is one that there is.
 */
export function firstOfPart(mask: Tensor): Tensor {
  const isNone = mask.sum(-1, { keepDims: true }).equal(0);
  const { backend } = mask;
  const rows = mask.shape.at(-1)!;
  const start = tensor(
    Int32Array.from({ length: rows }, (_, row) => Number(row === 0)),
    { backend },
  );
  return firstOf(mask).add(start.mul(isNone));
}

/**
 * The rows of an input, a state or a target, the places of those without a step taken by the first
 * one that has a step: by 0 where none has. It selects with marks and adds zeros, so that a plan
 * can do it for any mask.
 */
export function fillRows<T>(values: T, mask: Tensor | undefined, first: Tensor | undefined): T {
  if (mask === undefined || first === undefined) return values;
  return tree.map(values, (x: Tensor) => {
    if (x.shape[0] !== mask.size) return x;
    return where(rowWise(mask, x), x, zeroRows(first, x).sum(0, { keepDims: true }));
  }) as T;
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
