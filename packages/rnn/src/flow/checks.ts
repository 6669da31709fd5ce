import { type Tensor, tree } from "@chronograd/autodiff";
import { floatsOf } from "../derivatives/vectors.ts";

/** Throws a sentence unless an option is a whole number from `least` to `most`. */
export function checkCount(
  where: string,
  name: string,
  value: unknown,
  least: number,
  most: number = Infinity,
): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  const range =
    most === Infinity
      ? `of at least ${least}`
      : `from ${least} to H = ${most}, the numbers of a row of the state`;
  throw new RangeError(`${where}: ${name} must be a whole number ${range}, got ${String(value)}`);
}

/** How much an instrument may hold at once: 1 GiB. */
const mostBytes = 2 ** 30;

/** Throws a sentence where something would take more memory than an instrument may. */
export function checkBytes(where: string, what: string, bytes: number, wayOut: string): void {
  if (bytes <= mostBytes) return;
  const inGiB = (n: number) => `${(n / 2 ** 30).toPrecision(3)} GiB`;
  throw new RangeError(
    `${where}: ${what} would take ${inGiB(bytes)}, and an instrument takes at most ${inGiB(mostBytes)}; ${wayOut}`,
  );
}

/** Throws a sentence where a state at step `t` is not finite. */
export function checkFiniteState(where: string, t: number, state: unknown): void {
  if (floatsOf(state).every((x) => x.toTypedArray().every(Number.isFinite))) return;
  const [path] = tree
    .leavesWithPath<Tensor>(state)
    .find(([, x]) => !x.toTypedArray().every(Number.isFinite))!;
  throw new RangeError(
    `${where}: the state${path && ` "${path}"`} after step ${t} is not finite; look for the op with findNonFinite of @chronograd/autodiff/testing`,
  );
}

/** Throws a sentence where products with the Jacobian of step `t` are not finite. */
export function checkFiniteProducts(where: string, t: number, products: Iterable<number>): void {
  for (const x of products) {
    if (Number.isFinite(x)) continue;
    throw new RangeError(
      `${where}: the derivative of step ${t} by the state before it is not finite; a step needs derivatives along the whole trajectory`,
    );
  }
}
