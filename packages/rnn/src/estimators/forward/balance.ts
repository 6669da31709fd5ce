import { type Tensor, where } from "@chronograd/autodiff";

/**
 * The factor c of each row, `[B, 1]`, for which `a / c` and `c b` have the same norm; 1 where one
 * of them is 0: any factor leaves their product as it is.
 *
 * @param a `[B, ...]`
 * @param b `[B, ...]`
 */
export function balance(a: Tensor, b: Tensor): Tensor {
  const [x, y] = [norms(a), norms(b)];
  const product = x.mul(y);
  const isNone = product.equal(0);
  return where(isNone, 1, x.div(where(isNone, 1, y)).sqrt());
}

function norms(x: Tensor): Tensor {
  return x.reshape([x.shape[0]!, -1]).square().sum(1, { keepDims: true }).sqrt();
}
