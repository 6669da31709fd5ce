import { type Tensor, tree } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import { indexOf, nameOf } from "../tally.ts";

/** A direction in the space of parameters. */
export interface Direction {
  /** By path; parameters left out do not move. */
  readonly v: ReadonlyMap<string, Float64Array>;
  /** Step of the differences. */
  readonly h: number;
}

/** A derivative that is compared with differences. */
export interface Derivative extends Direction {
  readonly path: string;
  /**
   * Position of the only element that moves; -1 for a direction in which the whole parameter does.
   */
  readonly element: number;
  readonly words: string;
}

/** Step along a direction of unit length. */
const unitStep = 4e-3;
/** Parameters with at most so many elements are compared element by element. */
const elementLimit = 256;
/**
 * Beyond, each parameter is compared along so many random directions and at so many random
 * elements.
 */
const sampled = 4;

/**
 * By every element of small parameters; along random directions and by random elements of large
 * ones.
 */
export function derivativesOf(params: unknown, seed: number): Derivative[] {
  const floats = floatsOf(params);
  const total = floats.reduce((n, [, x]) => n + x.size, 0);
  return floats.flatMap(([path, x]) => {
    const name = nameOf("params", path);
    const byElement = (element: number): Derivative => {
      const direction = new Float64Array(x.size);
      direction[element] = 1;
      const h = 1e-3 * Math.max(1, Math.abs(x.toTypedArray()[element]!));
      const words = `d/d ${name}${indexOf(element, x)}`;
      return { path, element, v: new Map([[path, direction]]), h, words };
    };
    const along = (random: Rng): Derivative => {
      const v = new Map([[path, unit(x.size, random)]]);
      const words = `the derivative along a random direction of ${name}`;
      return { path, element: -1, v, h: unitStep, words };
    };
    if (total <= elementLimit || x.size <= 2 * sampled) {
      return Array.from({ length: x.size }, (_, i) => byElement(i));
    }
    const random = rng(seed, `derivatives by ${name}`);
    return Array.from({ length: sampled }, (_, i) => [
      along(random.split(`direction ${i}`)),
      byElement(random.integer(0, x.size)),
    ]).flat();
  });
}

/** Directions in which all parameters move at once, of unit length. */
export function randomDirections(params: unknown, count: number, seed: number): Direction[] {
  const floats = floatsOf(params);
  const size = floats.reduce((n, [, x]) => n + x.size, 0);
  return Array.from({ length: count }, (_, k) => {
    const v = unit(size, rng(seed, `diagnosis ${k}`));
    let start = 0;
    const parts = floats.map(([path, x]) => {
      start += x.size;
      return [path, v.subarray(start - x.size, start)] as const;
    });
    return { v: new Map(parts), h: unitStep };
  });
}

/** `<gradient, v>`; a gradient that lacks a parameter counts as zero there. */
export function along(gradients: ReadonlyMap<string, Float64Array>, { v }: Direction): number {
  let sum = 0;
  for (const [path, direction] of v) {
    const g = gradients.get(path);
    if (g !== undefined) for (let i = 0; i < direction.length; i++) sum += g[i]! * direction[i]!;
  }
  return sum;
}

/** The float parameters. */
export function floatsOf(params: unknown): (readonly [path: string, x: Tensor])[] {
  return tree.leavesWithPath(params).filter(([, x]) => x.dtype !== "int32");
}

function unit(size: number, random: Rng): Float64Array {
  const v = Float64Array.from({ length: size }, () => random.normal());
  const length = Math.sqrt(v.reduce((sum, e) => sum + e * e, 0)) || 1;
  return v.map((e) => e / length);
}
