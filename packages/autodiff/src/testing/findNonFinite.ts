import type { FindNonFiniteOptions, NonFinite } from "../passes/findNonFinite.ts";
import { Tape } from "../tape.ts";
import { isFloat } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { leavesWithPath, type MapTree } from "../tensor/tree.ts";

/**
 * The first NaN or infinity that a function makes, forward and then backward from the sum of its
 * outputs: which op, line of the program, part of the model, parameter and time step, and the
 * inputs that caused it.
 *
 * @param f takes a tree of tensors to a tree of tensors
 * @returns `undefined` when everything is finite
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { findNonFinite } from "@chronograd/autodiff/testing";
 *
 * const params = { scale: tensor([1, 0]), x: tensor([3, 0]) };
 * const found = findNonFinite(({ scale, x }) => x.div(scale), params);
 * [found?.op, found?.value, found?.index]; // => ["div", NaN, "[1]"]
 * found?.causes; // => ['"x" is 0 there', '"scale" is 0 there']
 *
 * // The value is finite, its gradient is not.
 * findNonFinite((x) => x.sqrt(), tensor([0]))?.sweep; // => "backward"
 * ```
 */
export function findNonFinite<T>(
  f: (inputs: MapTree<T, Tensor>) => unknown,
  inputs: T,
  options: FindNonFiniteOptions = {},
): NonFinite | undefined {
  checkOptions("findNonFinite", options, ["onlyNaN"]);
  return scope(() => {
    const tape = new Tape({ trace: true });
    const outputs = leavesWithPath(f(tape.watch(inputs) as MapTree<T, Tensor>));
    const targets = outputs
      .filter(([, y]) => isFloat(y.dtype))
      .map(([path, y]) => (tape.tracks(y) ? y : outsider(tape, path, y)).sum());
    return tape.findNonFinite(targets, options);
  });
}

/** An output that the tape did not see being made, watched under a name that says so. */
function outsider(tape: Tape, path: string, y: Tensor): Tensor {
  const name = path === "" ? "the output" : `the output ${path}`;
  return tape.watch({ [name]: y })[name]!;
}
