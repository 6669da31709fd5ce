import { type Tensor, where } from "@chronograd/autodiff";

/**
 * The factors of a product of each row, `a / c` and `b c`, scaled so that they have the same norm.
 * Where one of them is 0, so is the product, and both are 0: what is added to the other must not
 * meet it, such as a sequence before a reset, or the signs of a step that a row does not have.
 *
 * @param a `[B, ...]`
 * @param b `[B, ...]`
 */
export function balanced(a: Tensor, b: Tensor): readonly [a: Tensor, b: Tensor] {
  const [x, y] = [norms(a), norms(b)];
  const isNone = x.mul(y).equal(0);
  const c = where(isNone, 1, x.div(where(isNone, 1, y)).sqrt());
  const rows = (each: Tensor, like: Tensor) =>
    each.reshape([-1, ...like.shape.slice(1).map(() => 1)]);
  const scaled = (like: Tensor, by: Tensor) =>
    where(rows(isNone, like), 0, like.mul(rows(by, like)));
  return [scaled(a, c.reciprocal()), scaled(b, c)];
}

/** `[B]` */
function norms(x: Tensor): Tensor {
  return x.reshape([x.shape[0]!, -1]).square().sum(1).sqrt();
}
