import type { MapTree, Shape, Tensor } from "@chronograd/autodiff";
import type { Initializer, Rng } from "@chronograd/nn";
import { checkDefinition } from "./checkDefinition.ts";
import { initializersOf } from "./checkSizes.ts";
import type { LinearForm } from "./linear/defineLinearCell.ts";
import { rememberMaking } from "./making.ts";
import { checkingStep } from "./runStep.ts";
import type { NoiseValues } from "./sequences/noise.ts";
import type { Unrolled, UnrollOptions } from "./unroll.ts";

/** A tree of initialisers as the tree of tensors it describes. */
export type Values<Spec> = MapTree<Spec, Tensor, Initializer>;

/** As `Values`, read-only all the way: what a step may return. */
export type ReadonlyValues<Spec> = Spec extends Initializer
  ? Tensor
  : Spec extends object
    ? { readonly [K in keyof Spec]: ReadonlyValues<Spec[K]> }
    : Spec;

/**
 * One step of a recurrence: `(params, x_t, h_{t-1}) -> [y_t, h_t]`, with what describes its
 * parameters and its state. Everything else (unrolling, truncation, stacking) is made from this.
 */
export interface Cell<Params, State, X = Tensor, Y = Tensor> {
  /** Initialisers of the parameters. */
  readonly params: Params;
  /** Initialisers of one row of the state; a batch of B rows adds a leading axis B. */
  readonly state: State;
  /** The shape of one row of the input, where that is one tensor of floats: masks have it. */
  readonly input?: Shape;
  /**
   * What the loops draw for the steps: a tree of `Noise`, for `unroll` and `truncated` with a
   * generator.
   */
  readonly noise?: unknown;
  /**
   * The initial state of a batch, where parameters decide it: tensors as `state` describes them,
   * with a leading axis of `batch`.
   */
  initial?(params: Values<Params>, batch: number): Values<State>;
  /**
   * Pure: the same arguments give the same results, and nothing else changes.
   *
   * @param noise what was drawn, in the structure of `noise`; `undefined` in evaluation
   */
  step(
    params: Values<Params>,
    x: X,
    state: Values<State>,
    noise?: unknown,
  ): readonly [output: Y, state: Values<State>];
  /**
   * The same step in plain ops, where `step` uses fused ones; `testCell` holds them to each other.
   */
  equations?(
    params: Values<Params>,
    x: X,
    state: Values<State>,
    noise?: unknown,
  ): readonly [output: Y, state: Values<State>];
  /** The parts of a step that is linear in the state, which `unroll` runs in parallel. */
  readonly linear?: LinearForm<Params, X, Y>;
  /**
   * What `unroll` calls in place of steps where it is asked for `parallel`: cells made of cells
   * have it.
   */
  unroll?(
    params: Values<Params>,
    inputs: Tensor | readonly unknown[],
    options: UnrollOptions<State>,
  ): Unrolled<State, Y>;
}

/** Sizes of a cell that maps vectors to vectors. */
export interface CellSizes {
  /** Length of an input row. */
  readonly input: number;
  /** Length of a state row. */
  readonly hidden: number;
}

/** A step of a family of cells, which may depend on the sizes. */
type FamilyStep<Sizes, Params, State, X, Y, Drawn> = (
  params: Values<Params>,
  x: X,
  state: Values<State>,
  sizes: Sizes,
  noise: NoiseValues<Drawn> | undefined,
) => readonly [output: Y, state: ReadonlyValues<State>];

/** The choices of a definition without any. */
export type NoChoices = Record<never, string>;

/** The numbers of a definition without any. */
export type NoNumbers = Record<never, number>;

/** What a family of cells takes: sizes, and options where there are choices or numbers. */
export type FamilySizes<Sizes, Options> = keyof Options extends never
  ? Sizes
  : Sizes & { readonly [Name in string & keyof Options]?: Options[Name] };

/** What `defineCell` takes: parameters and state from sizes, and the step. */
export interface CellDefinition<
  Sizes,
  Params,
  State,
  X,
  Y,
  Choices = NoChoices,
  Drawn = unknown,
  Numbers = NoNumbers,
> {
  /** Whose errors are said to be; `"cell"` unless given. */
  readonly name?: string;
  /**
   * The names of all sizes, so that others are refused, and each must be given, also one that only
   * the step reads. Unless listed, any are taken but those that look like a misspelt choice.
   */
  readonly sizes?: readonly (string & keyof Sizes)[];
  /**
   * Options that are one of a few words, the first unless given:
   * `{ activation: ["tanh", "relu"] }`.
   */
  readonly choices?: { readonly [Name in keyof Choices]: readonly Choices[Name][] };
  /** Options that are finite numbers, with what they are unless given: `{ scale: 1 }`. */
  readonly numbers?: Numbers;
  /** From the sizes, in which every choice is made, and every number given. */
  params(sizes: Sizes & NoInfer<Choices & Numbers>): Params;
  state(sizes: Sizes & NoInfer<Choices & Numbers>): State;
  /** The shape of one row of the input; that of `input` numbers unless given. */
  input?(sizes: Sizes & NoInfer<Choices & Numbers>): Shape;
  /** What the loops draw: a tree of `Noise`, which the step gets after the sizes. */
  noise?(sizes: Sizes & NoInfer<Choices & Numbers>): Drawn;
  /** The initial state of a batch, where parameters decide it. */
  initial?(
    params: Values<Params>,
    batch: number,
    sizes: Sizes & NoInfer<Choices & Numbers>,
  ): ReadonlyValues<State>;
  readonly step: FamilyStep<Sizes & NoInfer<Choices & Numbers>, Params, State, X, Y, Drawn>;
  /**
   * The same step in plain ops, where `step` uses fused ones; `testCell` holds them to each other.
   */
  readonly equations?: FamilyStep<Sizes & NoInfer<Choices & Numbers>, Params, State, X, Y, Drawn>;
  /**
   * The parts of a step that is linear in the state; `defineLinearCell` makes the step from them.
   */
  linear?(sizes: Sizes & NoInfer<Choices & Numbers>): LinearForm<Params, X, Y>;
  /** For the tests of all built-in cells: small sizes, and an input, unless it is `[B, input]`. */
  readonly example?: { readonly sizes?: Sizes; input?(random: Rng, batch: number): X };
}

/**
 * A family of cells, one for each choice of sizes.
 *
 * @returns a function from sizes to a cell; types of parameters, state and outputs are inferred
 *
 * @example
 * ```ts
 * import { init, rng } from "@chronograd/nn";
 * import { defineCell, initialParams } from "@chronograd/rnn";
 *
 * const elman = defineCell({
 *   params: ({ input, hidden }) => ({
 *     W: init.glorot(input, hidden),
 *     U: init.orthogonal(hidden),
 *     b: init.zeros(hidden),
 *   }),
 *   state: ({ hidden }) => ({ h: init.zeros(hidden) }),
 *   step: ({ W, U, b }, x, { h }) => {
 *     const next = x.matmul(W).add(h.matmul(U)).add(b).tanh();
 *     return [next, { h: next }];
 *   },
 * });
 * const params = initialParams(elman({ input: 3, hidden: 5 }), rng(1));
 * params.W.shape; // => [3, 5]
 * ```
 */
export function defineCell<
  Params,
  const State,
  X = Tensor,
  Y = Tensor,
  Sizes = CellSizes,
  const Choices extends Readonly<Record<string, string>> = NoChoices,
  Drawn = unknown,
  Numbers extends Readonly<Record<string, number>> = NoNumbers,
>(
  definition: CellDefinition<Sizes, Params, State, X, Y, Choices, Drawn, Numbers>,
): (sizes: FamilySizes<Sizes, NoInfer<Choices & Numbers>>) => Cell<Params, State, X, Y> {
  checkDefinition(definition);
  const { name = "cell" } = definition;
  const family = (given: FamilySizes<Sizes, Choices & Numbers>): Cell<Params, State, X, Y> => {
    const { params, state, sizes } = initializersOf(definition, given, name);
    const columns = (sizes as { readonly input?: unknown }).input;
    const stepOf = (own: typeof definition.step) =>
      checkingStep<Params, State, X, Y>(name, columns, (p, x, before, noise) => {
        return own(p, x, before, sizes, noise as NoiseValues<Drawn>) as never;
      });
    const step = stepOf(definition.step);
    rememberMaking({ step }, { by: family });
    const equations = definition.equations && stepOf(definition.equations);
    const linear = definition.linear?.(sizes);
    const vectors = typeof columns === "number" ? [columns] : undefined;
    const input = definition.input?.(sizes) ?? vectors;
    const noise = definition.noise?.(sizes);
    const initial =
      definition.initial &&
      ((p: Values<Params>, batch: number) => definition.initial!(p, batch, sizes) as Values<State>);
    return {
      params,
      state,
      ...(input && { input }),
      ...(noise !== undefined && { noise }),
      ...(initial && { initial }),
      step,
      ...(equations && { equations }),
      ...(linear && { linear }),
    };
  };
  definitions.set(family, definition);
  return family;
}

const definitions = new WeakMap<object, object>();

/** What `defineCell` made a family of cells from; `undefined` for any other function. @internal */
export function definitionOf(
  family: object,
): CellDefinition<object, unknown, unknown, unknown, unknown, Record<string, string>> | undefined {
  return definitions.get(family) as ReturnType<typeof definitionOf>;
}
