import {
  type Backend,
  defaultBackend,
  equal,
  isTensor,
  type Tensor,
  tree,
  where,
} from "@chronograd/autodiff";
import { checkAlive } from "@chronograd/autodiff/internal";
import { complaint, homeOf, isNonFinite, type Named } from "../optim/finite.ts";
import { isBranch } from "../optim/leaves.ts";
import { normOf } from "./norm.ts";

/**
 * What to do about gradients with a NaN or an infinity: `"throw"`, naming the parameter; set those
 * elements to 0 (`"zero"`), and clip the rest; or `"pass"` a parameter's gradient on as it is.
 */
export type NonFiniteAction = "throw" | "zero" | "pass";

/** The option that every clip function has. */
export interface NonFiniteOption {
  /** `"throw"` unless given. */
  readonly nonFinite?: NonFiniteAction;
}

/** Gradients that are fit to be clipped. */
export interface Measured<G> {
  readonly gradients: G;
  /** Their norm, a float64 scalar; not finite only where `"pass"` was asked for. */
  readonly norm: Tensor;
  readonly home: Backend;
}

/** Throws a sentence for an option that there is not. */
export function checkNonFinite(nonFinite: NonFiniteAction, where: string): void {
  if (nonFinite === "throw" || nonFinite === "zero" || nonFinite === "pass") return;
  throw new TypeError(
    `${where}: nonFinite must be "throw", "zero" or "pass", got ${JSON.stringify(nonFinite)}`,
  );
}

/** The global norm of gradients, once what is not finite among them was dealt with. */
export function measure<G>(
  gradients: G,
  order: number,
  nonFinite: NonFiniteAction,
  where: string,
): Measured<G> {
  const named = floats(gradients, where);
  const own = named.map(({ g }) => g);
  const home = homeOf(own) ?? defaultBackend();
  // What is traced has no values: zeros are put in wherever they may be needed.
  const mayZero = nonFinite === "zero" && home.parent !== null;
  if (!mayZero) {
    const norm = normOf(own, order, home);
    if (nonFinite === "pass" || home.isFinite(norm)) return { gradients, norm, home };
    const bad = named.filter(({ g }) => isNonFinite(g));
    if (bad.length === 0) throw overflown(where);
    if (nonFinite === "throw") throw complaint(bad, where, advice);
  }
  const result = tree.map(gradients, (g: Tensor) =>
    g.dtype !== "int32" && (mayZero || isNonFinite(g)) ? zeroed(g) : g,
  ) as G;
  const mended = floats(result, where).map(({ g }) => g);
  const norm = normOf(mended, order, home);
  if (!home.isFinite(norm)) throw overflown(where);
  return { gradients: result, norm, home };
}

const advice = 'or pass { nonFinite: "zero" } or { nonFinite: "pass" }';

/** Float tensors of a tree with their paths; throws a sentence when one is gone. */
function floats(values: unknown, where: string): Named {
  const found: { path: string; g: Tensor }[] = [];
  const visit = (g: unknown, path: string): void => {
    if (isTensor(g)) {
      if (g.dtype === "int32") return;
      checkAlive(g, where, `the gradient${path === "" ? "" : ` of "${path}"`}`);
      found.push({ path, g });
    } else if (isBranch(g)) {
      for (const key of Object.keys(g)) visit(g[key], path === "" ? key : `${path}.${key}`);
    }
  };
  visit(values, "");
  return found;
}

/** `x` with 0 for NaN and infinities: only a finite number less itself is 0. */
function zeroed(x: Tensor): Tensor {
  return where(equal(x.sub(x), 0), x, 0);
}

function overflown(where: string): RangeError {
  return new RangeError(
    `${where}: the gradients are finite but their norm is not; divide the loss by a large number, or pass { nonFinite: "pass" }`,
  );
}
