import { lanes, loadPart, storePart } from "./vector";

/**
 * y = F(x). The last, incomplete vector is filled up with zeros: no value depends on its element's
 * place.
 */
// @ts-ignore: decorator
@inline
export function map<T, F>(n: i32, x: usize, y: usize): void {
  const f = changetype<F>(0);
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, f.of<T>(v128.load(x)));
    x += 16;
    y += 16;
  }
  if (n > 0) storePart<T>(y, f.of<T>(loadPart<T>(x, n, <T>0)), n);
}

/** y = F(x, alpha). */
// @ts-ignore: decorator
@inline
export function mapScaled<T, F>(n: i32, x: usize, y: usize, alpha: T): void {
  const f = changetype<F>(0);
  const splat = v128.splat<T>(alpha);
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, f.of<T>(v128.load(x), splat));
    x += 16;
    y += 16;
  }
  if (n > 0) storePart<T>(y, f.of<T>(loadPart<T>(x, n, <T>0), splat), n);
}
