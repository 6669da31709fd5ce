import { concat, ones, type Tensor, tree, zeros } from "@chronograd/autodiff";
import { isNoise, type Noise } from "../sequences/noise.ts";
import type { Prepared } from "../sequences/prepare.ts";

/** What becomes of the rows of a tensor `[B, ...]`. */
type OfRows = (x: Tensor) => Tensor;

/** What a step takes beside its input, with other rows. */
export function preparedRows(
  prepared: Prepared,
  spec: unknown,
  ofRows: OfRows,
  firstOf: (first: Tensor) => Tensor,
): Prepared {
  const { reset, mask, first, isEmpty, fresh, noise } = prepared;
  return {
    ...(reset && { reset: ofRows(reset) }),
    ...(mask && { mask: ofRows(mask) }),
    ...(first && { first: firstOf(first) }),
    ...(isEmpty && { isEmpty }),
    ...(fresh !== undefined && { fresh: treeRows(fresh, ofRows) }),
    ...(noise !== undefined && { noise: noiseRows(noise, spec, ofRows) }),
  };
}

/** A tree of tensors `[B, ...]` with other rows; a tensor without axes is the same for all. */
export function treeRows<T>(values: T, ofRows: OfRows): T {
  return tree.map(values, (x: Tensor) => (x.rank === 0 ? x : ofRows(x))) as T;
}

/** Noise with other rows, where each row has its own. */
function noiseRows(noise: unknown, spec: unknown, ofRows: OfRows): unknown {
  const declared = new Map<string, Noise>(tree.leavesWithPath<Noise>(spec, isNoise));
  return tree.map(noise, (x: Tensor, path) => (declared.get(path)?.rows ? ofRows(x) : x));
}

/** A batch of B rows `count` times, one after the other: `[B, ...]` as `[count B, ...]`. */
export function repeatedRows(count: number): OfRows {
  return (x) => (count === 1 ? x : x.tile([count, ...x.shape.slice(1).map(() => 1)]));
}

/** The first row with a step, which fills the places of the others, of the first batch of many. */
export function repeatedFirst(count: number): (first: Tensor) => Tensor {
  return (first) => {
    if (count === 1) return first;
    const { size, dtype, backend } = first;
    return concat([first, zeros([(count - 1) * size], { dtype, backend })]);
  };
}

/** Row `row` alone: `[B, ...]` as `[1, ...]`. */
export function oneRow(row: number): OfRows {
  return (x) => (x.shape[0] === 1 ? x : x.slice([[row, row + 1]]));
}

/** A row alone fills its own place. */
export function onlyFirst({ dtype, backend }: Tensor): Tensor {
  return ones([1], { dtype, backend });
}
