import { scope } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { initialize, type Rng } from "@chronograd/nn";
import type { Values } from "../cell.ts";
import { type ValueOptions, valueOptions } from "../initial.ts";
import { layoutOf, type Model } from "./layoutOf.ts";

/**
 * Parameters that start as PyTorch starts them, by `reset_parameters` of each module: those of
 * recurrent cells uniform within `1 / sqrt(hidden)`, those of `linear` within `1 / sqrt(input)`, an
 * embedding standard normal. A bias is the sum of two draws, since PyTorch has two.
 *
 * @param random each entry of the state dict is drawn from a separate generator, named as the entry
 * @throws for a model with a part that PyTorch has not
 *
 * @example
 * ```ts
 * import { rng } from "@chronograd/nn";
 * import { lstm } from "@chronograd/rnn";
 * import { initialPyTorch } from "@chronograd/rnn/pytorch";
 *
 * const { W, b } = initialPyTorch(lstm({ input: 3, hidden: 4 }), rng(1));
 * W.toTypedArray().every((w) => Math.abs(w) <= 1 / 2); // => true
 * b.toTypedArray().every((w) => Math.abs(w) <= 1 / 2 + 1 / 2); // => true
 * ```
 */
export function initialPyTorch<Params>(
  model: Model<Params>,
  random: Rng,
  options: ValueOptions = {},
): Values<Params> {
  checkOptions("initialPyTorch", options, valueOptions);
  const layout = layoutOf("initialPyTorch", model, "", {
    suffix: () => "_l0",
    hasBias: () => true,
  });
  return scope(() => layout.read(initialize(layout.entries, random, options))) as Values<Params>;
}
