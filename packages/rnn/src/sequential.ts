import { named, type Tensor } from "@chronograd/autodiff";
import { type Cell, runStep, type Values } from "./cell.ts";
import { rememberMaking } from "./making.ts";

/**
 * What `sequential` takes: a cell from tensor to tensor, or a layer of that kind that is applied at
 * every step.
 */
type Part = { readonly params: unknown } & (
  | {
      readonly state: unknown;
      step(params: never, x: Tensor, state: never): readonly [output: Tensor, state: unknown];
    }
  | { apply(params: never, x: Tensor): Tensor }
);

/** Parameters by part. */
type ParamsOf<Parts> = {
  readonly [K in keyof Parts]: Parts[K] extends { readonly params: infer P } ? P : never;
};
/** States by part; a layer's is empty. */
type StatesOf<Parts> = {
  readonly [K in keyof Parts]: Parts[K] extends { readonly state: infer S }
    ? S
    : Record<never, never>;
};

/**
 * Cells and layers one after another at every time step, as one cell:
 * `sequential({ embedding, lstm, head })`. Parameters and states are trees by the names given, in
 * the order given.
 *
 * @throws when no part is given
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
export function sequential<const Parts extends Readonly<Record<string, Part>>>(
  parts: Parts,
): Cell<ParamsOf<Parts>, StatesOf<Parts>> {
  const entries = Object.entries(parts);
  if (entries.length === 0)
    throw new RangeError("sequential: expected at least one part, got none");
  const mapParts = (f: (part: Part) => unknown) =>
    Object.fromEntries(entries.map(([name, part]) => [name, f(part)]));
  const model: Cell<ParamsOf<Parts>, StatesOf<Parts>> = {
    params: mapParts((part) => part.params) as ParamsOf<Parts>,
    state: mapParts((part) => ("state" in part ? part.state : {})) as StatesOf<Parts>,
    step(params, input, state) {
      const ownParams = params as Record<string, never>;
      const ownState = state as Record<string, never>;
      const next: Record<string, unknown> = {};
      let value = input;
      for (const [name, part] of entries) {
        const x = value;
        [value, next[name]] = named(name, () =>
          "step" in part
            ? runStep(part, ownParams[name]!, x, ownState[name]!)
            : [part.apply(ownParams[name]!, x), {}],
        );
      }
      return [value, next as Values<StatesOf<Parts>>];
    },
  };
  return rememberMaking(model, { by: sequential, parts });
}
