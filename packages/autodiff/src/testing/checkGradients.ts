import { Tape } from "../tape.ts";
import { tensor } from "../tensor/doors.ts";
import { scope } from "../tensor/scope.ts";
import { format } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { flatten, type MapTree, map, quote } from "../tensor/tree.ts";

/** How `checkGradients` compares. */
export interface CheckOptions {
  /** Largest error allowed, relative to the larger of both numbers and 1; 1e-7 unless given. */
  readonly tolerance?: number;
  /** First step of the differences, relative to the larger of |x| and 1; 1e-3 unless given. */
  readonly step?: number;
  /** Seed of the cotangent's random elements. */
  readonly seed?: number;
}

/** One element whose two derivatives differ. */
export interface GradientMismatch {
  /** Where the element is: path of the input, position in it. */
  readonly path: string;
  readonly index: number;
  readonly analytic: number;
  readonly numeric: number;
  /** The numeric side's estimate of its own error. */
  readonly uncertainty: number;
}

/** What `checkGradients` found. */
export interface GradientReport {
  readonly ok: boolean;
  readonly elements: number;
  /** Largest relative error. */
  readonly worst: number;
  readonly mismatches: readonly GradientMismatch[];
  /** Elements at which differences with different steps contradict each other: a kink, or ill-conditioned. */
  readonly undecided: readonly GradientMismatch[];
}

/** A generator good enough to scatter cotangents (Steele, Lea & Flood 2014, SplitMix's finaliser). */
function scatter(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 31 - 1;
  };
}

/**
 * Holds the gradient of `f` to central differences, element by element, in float64.
 *
 * The function's outputs are contracted with random cotangents, never with ones. Differences at h, h/2 and h/4 are
 * extrapolated (Richardson 1911); where they contradict each other the element is reported as undecided, never as
 * right.
 *
 * @param f takes a tree of tensors to a tensor or a tree of tensors
 * @param inputs the tree; its float leaves must be float64
 * @throws when a float leaf is float32, whose differences could not tell
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { checkGradients } from "@chronograd/autodiff/testing";
 *
 * const x = tensor([0.3, -1], { dtype: "float64" });
 * checkGradients((z) => z.tanh(), x).ok; // => true
 *
 * // A gradient that is wrong on purpose: detach hides one factor.
 * const { ok, mismatches } = checkGradients((z) => z.mul(z.detach()), x);
 * [ok, mismatches.length]; // => [false, 2]
 * (mismatches[0]!.numeric / mismatches[0]!.analytic).toFixed(6); // => "2.000000"
 * ```
 */
export function checkGradients<T>(
  f: (inputs: MapTree<T, Tensor>) => unknown,
  inputs: T,
  { tolerance = 1e-7, step = 1e-3, seed = 1 }: CheckOptions = {},
): GradientReport {
  const leaves = flatten(inputs).filter(([, x]) => x.dtype !== "int32");
  for (const [path, x] of leaves) {
    if (x.dtype !== "float64") {
      throw new TypeError(
        `checkGradients: the input at ${quote(path)} is ${x.dtype} ${format(x.shape)}, expected float64; convert it with cast(x, "float64")`,
      );
    }
  }
  /** `<u, f(inputs)>` with the same random `u` each time. */
  const contracted = (tree: MapTree<T, Tensor>): Tensor | undefined => {
    const random = scatter(seed);
    let total: Tensor | undefined;
    for (const [, y] of flatten(f(tree))) {
      if (y.dtype === "int32") continue;
      const u = Float64Array.from({ length: y.size }, () => random() || 0.5);
      const part = y.mul(tensor(u, { shape: y.shape, dtype: y.dtype, backend: y.backend })).sum();
      total = total === undefined ? part : total.add(part);
    }
    return total;
  };
  if (leaves.length === 0) {
    throw new TypeError(
      "checkGradients: the inputs hold no float64 tensor, so there is nothing to check; pass tensors in plain objects and arrays",
    );
  }
  const analytic = scope(() => {
    const tape = new Tape();
    const watched = tape.watch(inputs) as MapTree<T, Tensor>;
    const total = contracted(watched);
    if (total === undefined) {
      throw new TypeError(
        "checkGradients: the function returned no float tensor, so there is nothing to check; return tensors, or plain objects and arrays of them",
      );
    }
    const gradient = tape.tracks(total)
      ? tape.gradientIfReached(total, watched)
      : new Map<string, Tensor>();
    return new Map([...gradient].map(([path, g]) => [path, g.toTypedArray()]));
  });
  const mismatches: GradientMismatch[] = [];
  const undecided: GradientMismatch[] = [];
  let worst = 0;
  let elements = 0;
  for (const [path, x] of leaves) {
    const values = x.toTypedArray();
    for (let index = 0; index < x.size; index++) {
      elements++;
      const at = (value: number): number =>
        scope(() => {
          const moved = values.slice();
          moved[index] = value;
          const tree = map(inputs, (leaf: Tensor, where) =>
            where === path
              ? tensor(moved, { shape: x.shape, dtype: x.dtype, backend: x.backend })
              : leaf,
          ) as MapTree<T, Tensor>;
          return contracted(tree)?.item() ?? 0;
        });
      const { value: numeric, uncertainty } = derivative(at, values[index]!, step);
      const found = analytic.get(path)?.[index] ?? 0;
      const scale = Math.max(1, Math.abs(found), Math.abs(numeric));
      const error = Math.abs(found - numeric) / scale;
      const element = { path, index, analytic: found, numeric, uncertainty };
      if (!(uncertainty / scale <= tolerance)) undecided.push(element);
      else {
        worst = Math.max(worst, error);
        if (!(error <= tolerance)) mismatches.push(element);
      }
    }
  }
  return {
    ok: mismatches.length === 0 && undecided.length === 0,
    elements,
    worst,
    mismatches,
    undecided,
  };
}

/** Central differences at h, h/2 and h/4, extrapolated to h = 0. */
function derivative(
  f: (x: number) => number,
  x: number,
  step: number,
): { value: number; uncertainty: number } {
  const h = step * Math.max(1, Math.abs(x));
  const [d1, d2, d4] = [h, h / 2, h / 4].map((s) => (f(x + s) - f(x - s)) / (2 * s)) as [
    number,
    number,
    number,
  ];
  const once = [(4 * d2 - d1) / 3, (4 * d4 - d2) / 3] as const;
  const value = (16 * once[1] - once[0]) / 15;
  return { value, uncertainty: Math.abs(value - once[1]) };
}
