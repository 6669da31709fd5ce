import { stack, type Tensor } from "@chronograd/autodiff";

/**
 * The thin QR decomposition of K directions of each row, `[K, B, H]`, by modified Gram-Schmidt, in
 * ops, so that it has derivatives.
 *
 * @returns the orthonormal directions `[K, B, H]` and the diagonal of R, `[K, B]`
 */
export function thinQr(directions: Tensor): { readonly q: Tensor; readonly diagonal: Tensor } {
  const columns: Tensor[] = [];
  const lengths: Tensor[] = [];
  let rest = directions;
  for (;;) {
    const next = rest.slice([0]);
    const length = next.norm(-1, { keepDims: true });
    const column = next.div(length);
    columns.push(column);
    lengths.push(length.squeeze(-1));
    if (columns.length === directions.shape[0]) break;
    rest = rest.slice([[1, rest.shape[0]!]]);
    rest = rest.sub(rest.mul(column).sum(-1, { keepDims: true }).mul(column));
  }
  return { q: stack(columns), diagonal: stack(lengths) };
}
