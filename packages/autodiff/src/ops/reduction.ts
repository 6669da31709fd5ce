import { checkOptions } from "../tensor/options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { InputSpec, Op, Sample } from "./declare.ts";

/** Which axes to reduce (all unless given), and whether to leave ones in their places. */
export type ReduceOp = Op<
  (x: Tensor, axes?: number | readonly number[], options?: { keepDims?: boolean }) => Tensor
>;

const optionsOfReductions: readonly string[] = ["keepDims"];

/**
 * Whether reduced axes stay, as axes of length 1; throws for options that a reduction has
 * not. @internal
 */
export function keptDims(
  name: string,
  options: { readonly keepDims?: boolean } | undefined,
  known: readonly string[] = optionsOfReductions,
): boolean {
  if (options === undefined) return false;
  checkOptions(name, options, known);
  return options.keepDims ?? false;
}

/** Ways to call a reduction. @internal */
export function reduceSamples(
  call: (x: Tensor, axes?: number | readonly number[], options?: { keepDims?: boolean }) => Tensor,
  domain: InputSpec["domain"] = [-2, 2],
): Sample[] {
  return [
    { label: "all of [2,3]", inputs: [{ shape: [2, 3], domain }], call: ([x]) => call(x!) },
    { label: "axis 0", inputs: [{ shape: [3, 2], domain }], call: ([x]) => call(x!, 0) },
    {
      label: "axes 0 and 2, kept",
      inputs: [{ shape: [2, 3, 2], domain }],
      call: ([x]) => call(x!, [0, -1], { keepDims: true }),
    },
    { label: "a scalar", inputs: [{ shape: [], domain }], call: ([x]) => call(x!) },
    {
      label: "axis 0 of [2,0,3]",
      inputs: [{ shape: [2, 0, 3], domain }],
      call: ([x]) => call(x!, 0),
    },
  ];
}
