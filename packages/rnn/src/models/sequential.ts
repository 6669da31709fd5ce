import { checkCell } from "../checkCell.ts";
import { rememberMaking } from "../making.ts";
import { type InTurn, inTurn, type Part } from "./inTurn.ts";

/**
 * Cells and layers one after another at every time step, as one cell:
 * `sequential({ embedding, lstm, head })`. Parameters and states are trees by the names given, in
 * the order given. With a part of whole sequences, such as `bidirectional`, it is one itself.
 *
 * @throws when no part is given, or one is neither a cell nor a layer
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { embedding, linear, rng } from "@chronograd/nn";
 * import { initialParams, lstm, sequential, unroll } from "@chronograd/rnn";
 *
 * const model = sequential({
 *   embedding: embedding({ input: 65, output: 16 }),
 *   lower: lstm({ input: 16, hidden: 32 }),
 *   upper: lstm({ input: 32, hidden: 32 }),
 *   head: linear({ input: 32, output: 65 }),
 * });
 * const params = initialParams(model, rng(1));
 * params.head.W.shape; // => [32, 65]
 *
 * // Two sequences side by side, three steps of symbols each.
 * const symbols = tensor([[1, 2], [3, 4], [5, 6]], { dtype: "int32" });
 * const { outputs, state } = unroll(model, params, symbols);
 * [outputs.shape, state.upper.h.shape]; // => [[3, 2, 65], [2, 32]]
 * ```
 */
export function sequential<const Own extends Readonly<Record<string, Part>>>(
  parts: Own,
): InTurn<Own> {
  const entries = Object.entries(parts);
  if (entries.length === 0)
    throw new RangeError("sequential: expected at least one part, got none");
  for (const [name, part] of entries) {
    if (typeof (part as { apply?: unknown } | undefined)?.apply === "function") continue;
    checkCell(`sequential: ${name}`, part, "any");
  }
  const model = inTurn(parts, (name) => name);
  return rememberMaking(model, { by: sequential, parts });
}
