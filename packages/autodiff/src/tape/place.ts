/** Where an op stands in a model and in time: the innermost of nested names and time steps. */
export class Place {
  readonly outer: Place | null;
  /** Name of a part of a model, or `undefined` in a time step. */
  readonly name: string | undefined;
  /** A time step, counted from 1, or `undefined` in a named part. */
  readonly t: number | undefined;

  constructor(outer: Place | null, name: string | undefined, t: number | undefined) {
    this.outer = outer;
    this.name = name;
    this.t = t;
  }
}

/** The innermost open place. It follows the call stack exactly, as scopes do. */
let innermost: Place | null = null;

/** The innermost open place, if any. */
export function currentPlace(): Place | null {
  return innermost;
}

function inside<T>(place: Place, body: () => T): T {
  const outer = innermost;
  innermost = place;
  try {
    return body();
  } finally {
    innermost = outer;
  }
}

/**
 * Runs `body` as a named part of a model: reports about what is recorded inside say so. Names nest.
 *
 * @returns what `body` returns
 *
 * @example
 * ```ts
 * import { grad, named, tensor } from "@chronograd/autodiff";
 * import { findNonFinite } from "@chronograd/autodiff/testing";
 *
 * const f = (x: ReturnType<typeof tensor>) => named("head", () => x.log().sum());
 * findNonFinite(f, tensor([1, 0]))?.place; // => "head"
 * grad(f)(tensor([1, 2])).toArray(); // => [1, 0.5]
 * ```
 */
export function named<T>(name: string, body: () => T): T {
  return inside(new Place(innermost, name, undefined), body);
}

/**
 * Runs `body` as time step `t`, counted from 1: reports about what is recorded inside say so.
 * `unroll` and `truncated` do this for every step.
 *
 * @returns what `body` returns
 *
 * @example
 * ```ts
 * import { type Tensor, tensor, timeStep } from "@chronograd/autodiff";
 * import { findNonFinite } from "@chronograd/autodiff/testing";
 *
 * const collapse = (x: Tensor) => {
 *   let h = x;
 *   for (let t = 1; t <= 5; t++) h = timeStep(t, () => h.sub(1).sqrt());
 *   return h;
 * };
 * const found = findNonFinite(collapse, tensor(5));
 * [found?.op, found?.t]; // => ["sqrt", 4]
 * ```
 */
export function timeStep<T>(t: number, body: () => T): T {
  return inside(new Place(innermost, undefined, t), body);
}

/** The innermost time step around a place. */
export function stepOf(place: Place | null): number | undefined {
  for (let at = place; at !== null; at = at.outer) if (at.t !== undefined) return at.t;
  return undefined;
}

/** The names around a place, from the outside in: `"encoder.lower"`; empty where there are none. */
export function pathOf(place: Place | null): string {
  const names: string[] = [];
  for (let at = place; at !== null; at = at.outer)
    if (at.name !== undefined) names.unshift(at.name);
  return names.join(".");
}
