import { type Tensor, tree } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import { indexOf, nameOf } from "../tally.ts";
import type { Direction } from "./experiment.ts";

/** A direction in which a gradient is compared with differences. */
export interface Probe {
  readonly path: string;
  /** Position of the only element that moves; -1 for a direction in which the whole parameter does. */
  readonly element: number;
  readonly v: Direction;
  /** Step of the differences. */
  readonly h: number;
  readonly words: string;
}

/** Parameters with at most so many elements are compared element by element. */
const elementLimit = 256;
/** Beyond, each parameter is compared along so many random directions and at so many random elements. */
const sampled = 4;

/** Every element of small parameters; random directions and elements of large ones. */
export function probesOf(params: unknown, seed: number): Probe[] {
  const floats = tree.leavesWithPath(params).filter(([, x]) => x.dtype !== "int32");
  const total = floats.reduce((n, [, x]) => n + x.size, 0);
  return floats.flatMap(([path, x]) => {
    if (total <= elementLimit || x.size <= 2 * sampled) {
      return Array.from({ length: x.size }, (_, i) => single(path, x, i));
    }
    const random = rng(seed, nameOf("probe", path));
    return Array.from({ length: sampled }, (_, i) => [
      whole(path, x, random.split(`direction ${i}`)),
      single(path, x, random.integer(0, x.size)),
    ]).flat();
  });
}

function single(path: string, x: Tensor, element: number): Probe {
  const direction = new Float64Array(x.size);
  direction[element] = 1;
  const h = 1e-3 * Math.max(1, Math.abs(x.toTypedArray()[element]!));
  const words = `d/d ${nameOf("params", path)}${indexOf(element, x)}`;
  return { path, element, v: new Map([[path, direction]]), h, words };
}

function whole(path: string, x: Tensor, random: Rng): Probe {
  const v = new Map([[path, unit(x.size, random)]]);
  const words = `the derivative along a random direction of ${nameOf("params", path)}`;
  return { path, element: -1, v, h: 4e-3, words };
}

function unit(size: number, random: Rng): Float64Array {
  const v = Float64Array.from({ length: size }, () => random.normal());
  const length = Math.sqrt(v.reduce((sum, e) => sum + e * e, 0)) || 1;
  return v.map((e) => e / length);
}

/** Directions in which all parameters move at once, of unit length. */
export function randomDirections(params: unknown, count: number, seed: number): Direction[] {
  const floats = tree.leavesWithPath(params).filter(([, x]) => x.dtype !== "int32");
  const size = floats.reduce((n, [, x]) => n + x.size, 0);
  return Array.from({ length: count }, (_, k) => {
    const v = unit(size, rng(seed, `diagnosis ${k}`));
    let start = 0;
    return new Map(
      floats.map(([path, x]) => {
        start += x.size;
        return [path, v.subarray(start - x.size, start)] as const;
      }),
    );
  });
}
