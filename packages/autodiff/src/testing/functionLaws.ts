import type { FloatDType } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { MapTree } from "../tensor/tree.ts";
import type { Law } from "./law.ts";
import { compiledLaw } from "./laws/compiled.ts";
import { firstOrderLaws } from "./laws/first.ts";
import { layoutLaws } from "./laws/layout.ts";
import { secondOrderLaws } from "./laws/second.ts";
import { checkSettings } from "./settings.ts";

/** Which laws of a function to hold. */
export interface FunctionLawOptions {
  /** float64 unless given; float32 leaves out what differences decide. */
  readonly dtype?: FloatDType;
  /** 2 with second derivatives (the default), 1 without. */
  readonly order?: 1 | 2;
}

/**
 * The laws of any differentiable function of trees: its derivatives of first and second order by
 * every mode, determinism, accumulation, what it keeps, and independence of memory layout.
 *
 * @param f takes a tree of tensors to a tree of tensors
 * @param draw makes inputs from a seed, their floats of the dtype asked for
 *
 * @example
 * ```ts
 * import { type Tensor, tensor } from "@chronograd/autodiff";
 * import { functionLaws, holdAll } from "@chronograd/autodiff/testing";
 *
 * const energy = ({ x, w }: { x: Tensor; w: Tensor }) => x.matmul(w).tanh().mul(x);
 * const laws = functionLaws(energy, (seed, dtype) => ({
 *   x: tensor([[Math.sin(seed), 0.5]], { dtype }),
 *   w: tensor([[1, Math.cos(seed)], [-1, 0.3]], { dtype }),
 * }));
 * holdAll("energy", laws).ok; // => true
 * ```
 */
export function functionLaws<T>(
  f: (inputs: MapTree<T, Tensor>) => unknown,
  draw: (seed: number, dtype: FloatDType) => T,
  options: FunctionLawOptions = {},
): Law[] {
  checkOptions("functionLaws", options, ["dtype", "order"]);
  checkSettings("functionLaws", options);
  const { dtype = "float64", order = 2 } = options;
  const cases = [{ label: "at random inputs", f, draw }];
  return [
    ...firstOrderLaws(cases, { dtype }),
    ...(order === 2 && dtype === "float64" ? secondOrderLaws(cases) : []),
    ...layoutLaws(cases, { dtype }),
    compiledLaw(cases, { dtype }),
  ];
}
