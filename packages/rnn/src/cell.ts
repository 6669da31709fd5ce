import {
  type Backend,
  type FloatDType,
  type MapTree,
  map,
  scope,
  type Tensor,
  zeros,
} from "@chronograd/autodiff";
import { type Initializer, initialize, type Stream, stream } from "@chronograd/nn";

/** A tree of initialisers as the tree of tensors it describes. */
export type Values<Spec> = MapTree<Spec, Tensor, Initializer>;

/**
 * One step of a recurrence: `(params, x_t, h_{t-1}) -> [y_t, h_t]`, with what describes its parameters and its
 * state. Everything else (unrolling, truncation, stacking) is made from this.
 */
export interface Cell<Params, State, X = Tensor, Y = Tensor> {
  /** Initialisers of the parameters. */
  readonly params: Params;
  /** Initialisers of one row of the state; a batch of B rows adds a leading axis B. */
  readonly state: State;
  /** Pure: the same arguments give the same results, and nothing else changes. */
  step(
    params: Values<Params>,
    x: X,
    state: Values<State>,
  ): readonly [output: Y, state: Values<State>];
}

/** Any cell, whatever its parameters and states. */
export interface AnyCell<X = never, Y = unknown> {
  readonly params: unknown;
  readonly state: unknown;
  step(params: never, x: X, state: never): readonly [output: Y, state: unknown];
}

/** Sizes of a cell that maps vectors to vectors. */
export interface CellSizes {
  /** Length of an input row. */
  readonly input: number;
  /** Length of a state row. */
  readonly hidden: number;
}

/** What `defineCell` takes: parameters and state from sizes, and the step. */
export interface CellDefinition<Sizes, Params, State, X, Y> {
  params(sizes: Sizes): Params;
  state(sizes: Sizes): State;
  step(
    params: Values<Params>,
    x: X,
    state: Values<State>,
  ): readonly [output: Y, state: Values<State>];
}

/**
 * A family of cells, one for each choice of sizes.
 *
 * @returns a function from sizes to a cell; types of parameters, state and outputs are inferred
 *
 * @example
 * ```ts
 * import { glorot, orthogonal, stream, zeros } from "@chronograd/nn";
 * import { defineCell, initialParams } from "@chronograd/rnn";
 *
 * const elman = defineCell({
 *   params: ({ input, hidden }) => ({
 *     W: glorot(input, hidden),
 *     U: orthogonal(hidden),
 *     b: zeros(hidden),
 *   }),
 *   state: ({ hidden }) => ({ h: zeros(hidden) }),
 *   step: ({ W, U, b }, x, { h }) => {
 *     const next = x.matmul(W).add(h.matmul(U)).add(b).tanh();
 *     return [next, { h: next }];
 *   },
 * });
 * const params = initialParams(elman({ input: 3, hidden: 5 }), stream(1));
 * params.W.shape; // => [3, 5]
 * ```
 */
export function defineCell<Params, State, X = Tensor, Y = Tensor, Sizes = CellSizes>(
  definition: CellDefinition<Sizes, Params, State, X, Y>,
): (sizes: Sizes) => Cell<Params, State, X, Y> {
  return (sizes) => {
    if (typeof sizes !== "object" || sizes === null) {
      throw new TypeError(
        `cell: expected sizes by name, such as { input: 3, hidden: 5 }, got ${String(sizes)}`,
      );
    }
    for (const [name, size] of Object.entries(sizes as Record<string, unknown>)) {
      if (typeof size === "number" && (!Number.isInteger(size) || size < 1)) {
        throw new RangeError(
          `cell: size ${name} must be a whole number of at least 1, got ${size}`,
        );
      }
    }
    return {
      params: definition.params(sizes),
      state: definition.state(sizes),
      step: definition.step,
    };
  };
}

/** One step of a cell, whose result must be a pair. @internal */
export function runStep<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  x: X,
  state: Values<State>,
): readonly [output: Y, state: Values<State>] {
  const result: unknown = cell.step(params, x, state);
  if (!Array.isArray(result) || result.length !== 2) {
    throw new TypeError(
      `cell: step must return [output, state], got ${Array.isArray(result) ? `an array of ${result.length}` : String(result)}`,
    );
  }
  return result as unknown as readonly [Y, Values<State>];
}

/** Where new parameters and states live. */
export interface ValueOptions {
  /** float32 unless given. */
  readonly dtype?: FloatDType;
  readonly backend?: Backend;
}

/**
 * A cell's parameters, drawn from a random stream: each from a stream of its own, named by its path.
 *
 * @example
 * ```ts
 * import { stream } from "@chronograd/nn";
 * import { gru, initialParams } from "@chronograd/rnn";
 *
 * const cell = gru({ input: 3, hidden: 5 });
 * const params = initialParams(cell, stream(1), { dtype: "float64" });
 * [params.W.shape, params.W.dtype]; // => [[3, 15], "float64"]
 * ```
 */
export function initialParams<Params>(
  cell: { readonly params: Params },
  random: Stream,
  options: ValueOptions = {},
): Values<Params> {
  return initialize(cell.params, random, options) as Values<Params>;
}

/**
 * A cell's state before the first step, for a batch of rows: every leaf of shape `s` becomes `[batch, ...s]`.
 *
 * @throws when `batch` is not a whole number of at least 1
 *
 * @example
 * ```ts
 * import { initialState, lstm } from "@chronograd/rnn";
 *
 * const { h, c } = initialState(lstm({ input: 3, hidden: 5 }), 2);
 * [h.shape, c.shape]; // => [[2, 5], [2, 5]]
 * ```
 */
export function initialState<State>(
  cell: { readonly state: State },
  batch: number,
  options: ValueOptions = {},
): Values<State> {
  if (!Number.isInteger(batch) || batch < 1) {
    throw new RangeError(`initialState: batch must be a whole number of at least 1, got ${batch}`);
  }
  return scope(() => {
    const rows = initialize(cell.state, stream(0, "state"), options);
    return map(rows, (row: Tensor) => {
      const like = { dtype: row.dtype, backend: row.backend };
      return zeros([batch, ...row.shape], like).add(row);
    });
  }) as unknown as Values<State>;
}
