import { equal, flatten, map, type Tensor, where } from "@chronograd/autodiff";
import { kernelsOf, Region, within } from "@chronograd/autodiff/extend";
import { normOf } from "./norm.ts";

/**
 * What to do about gradients with a NaN or an infinity: `"throw"`, naming the parameter; set those elements to 0
 * (`"zero"`), and clip what is left; or `"pass"` a parameter's gradient on as it is.
 */
export type NonFinite = "throw" | "zero" | "pass";

/** The option that every clip function has. */
export interface NonFiniteOption {
  /** `"throw"` unless given. */
  readonly nonFinite?: NonFinite;
}

/** Gradients that are fit to be clipped. */
export interface Measured<T> {
  readonly gradients: T;
  /** Their norm; not finite only where `"pass"` was asked for. */
  readonly norm: number;
  /** Whether elements were set to 0. */
  readonly zeroed: boolean;
}

/** The global norm of gradients, once what is not finite among them was dealt with. */
export function measure<T>(
  gradients: T,
  order: number,
  nonFinite: NonFinite,
  where: string,
): Measured<T> {
  if (nonFinite !== "throw" && nonFinite !== "zero" && nonFinite !== "pass") {
    throw new TypeError(
      `${where}: nonFinite must be "throw", "zero" or "pass", got ${JSON.stringify(nonFinite)}`,
    );
  }
  const named = floats(gradients, where);
  const norm = normOf(tensorsOf(named), order);
  if (Number.isFinite(norm) || nonFinite === "pass") return { gradients, norm, zeroed: false };
  const bad = named.filter(([, g]) => isNonFinite(g));
  if (nonFinite === "throw" || bad.length === 0) throw complaint(bad, where);
  const result = map(gradients, (g: Tensor) =>
    g.dtype !== "int32" && isNonFinite(g) ? zeroed(g) : g,
  ) as T;
  return { gradients: result, norm: normOf(tensorsOf(floats(result, where)), order), zeroed: true };
}

/** Float tensors of a tree with their paths; throws a sentence when one is gone. */
export function floats(tree: unknown, where: string): [path: string, x: Tensor][] {
  const found = flatten(tree).filter(([, x]) => x.dtype !== "int32");
  for (const [path, x] of found) {
    if (x.block.holders > 0) continue;
    throw new Error(
      `${where}: the gradient${of(path)} is gone: ${x.block.end ?? "nothing holds it"}`,
    );
  }
  return found;
}

function tensorsOf(named: readonly [string, Tensor][]): Tensor[] {
  return named.map(([, x]) => x);
}

function of(path: string): string {
  return path === "" ? "" : ` of "${path}"`;
}

function isNonFinite(x: Tensor): boolean {
  return kernelsOf(x.backend, x).firstNonFinite(x.size, x.pointer) >= 0;
}

/** `x` with 0 for NaN and infinities: only a finite number less itself is 0. */
function zeroed(x: Tensor): Tensor {
  const region = new Region();
  try {
    const finite = within(region, () => equal(x.sub(x), 0));
    return where(finite, x, 0);
  } finally {
    region.end("it was an intermediate value of clipping");
  }
}

function complaint(bad: readonly [string, Tensor][], where: string): RangeError {
  if (bad.length === 0) {
    return new RangeError(
      `${where}: the gradients are finite but their norm is not; divide the loss by a large number, or pass { nonFinite: "pass" }`,
    );
  }
  const [path, g] = bad[0]!;
  let count = 0;
  for (const element of g.toTypedArray()) if (!Number.isFinite(element)) count++;
  const more = bad.length - 1;
  const others =
    more === 0 ? "" : more === 1 ? ", and so has 1 other" : `, and so have ${more} others`;
  return new RangeError(
    `${where}: the gradient${of(path)} has ${count} of ${g.size} elements that are NaN or infinite${others}; lower the learning rate, look for where they arise, or pass { nonFinite: "zero" } or { nonFinite: "pass" }`,
  );
}
