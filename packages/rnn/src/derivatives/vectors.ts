import { concat, type MapTree, type Tensor, tree, zeros } from "@chronograd/autodiff";

const isFloat = ({ dtype }: Tensor): boolean => dtype !== "int32";

/** The float tensors of a tree, in the order of its leaves: what has derivatives. */
export function floatsOf(values: unknown): Tensor[] {
  return tree.leaves(values).filter(isFloat);
}

/** As `floatsOf`, with their paths. */
export function floatsWithPaths(values: unknown): [path: string, x: Tensor][] {
  return tree.leavesWithPath(values).filter(([, x]) => isFloat(x));
}

/** A state of B rows as a matrix `[B, H]`: the leaves of each row, one after the other. */
export function rowsVector(state: unknown): Tensor {
  const rows = floatsOf(state).map((x) => x.reshape([x.shape[0]!, -1]));
  return rows.length === 1 ? rows[0]! : concat(rows, 1);
}

/** How many numbers a row of a state has: H. */
export function rowSize(state: unknown): number {
  return floatsOf(state).reduce((sum, { shape }) => sum + sizeOf(shape.slice(1)), 0);
}

/**
 * The inverse of `rowsVector`, for any number of rows: a tree like `state`, with zeros for tensors
 * of whole numbers.
 */
export function rowsTree<State>(vectors: Tensor, state: State): MapTree<State, Tensor> {
  const rows = vectors.shape[0]!;
  let from = 0;
  return tree.map(state, (x: Tensor) => {
    const shape = [rows, ...x.shape.slice(1)];
    if (!isFloat(x)) return zeros(shape, { dtype: x.dtype, backend: x.backend });
    const until = from + sizeOf(shape.slice(1));
    const part = vectors.slice([null, [from, until]]).reshape(shape);
    from = until;
    return part;
  }) as MapTree<State, Tensor>;
}

/** Parameters, or a gradient by them, as one vector `[P]`. */
export function paramsVector(params: unknown): Tensor {
  const parts = floatsOf(params).map((x) => x.reshape([-1]));
  return parts.length === 1 ? parts[0]! : concat(parts);
}

/** How many numbers parameters have: P. */
export function paramsSize(params: unknown): number {
  return floatsOf(params).reduce((sum, { size }) => sum + size, 0);
}

/** The inverse of `paramsVector`: a tree like `params`, with zeros for tensors of whole numbers. */
export function paramsTree<Params>(vector: Tensor, params: Params): MapTree<Params, Tensor> {
  let from = 0;
  return tree.map(params, (x: Tensor) => {
    if (!isFloat(x)) return zeros(x.shape, { dtype: x.dtype, backend: x.backend });
    const part = vector.slice([[from, from + x.size]]).reshape(x.shape);
    from += x.size;
    return part;
  }) as MapTree<Params, Tensor>;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Number `p` of all parameters, by its path and place: `"U"[1,2]`. */
export function nameOfParameter(params: unknown, p: number): string {
  let from = 0;
  for (const [path, x] of floatsWithPaths(params)) {
    if (p >= from + x.size) {
      from += x.size;
      continue;
    }
    let rest = p - from;
    const place = x.shape.toReversed().map((n) => {
      const at = rest % n;
      rest = (rest - at) / n;
      return at;
    });
    return `"${path}"[${place.toReversed()}]`;
  }
  return String(p);
}
