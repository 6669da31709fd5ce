import {
  type Backend,
  clone,
  type FloatDType,
  type MapTree,
  type Shape,
  scope,
  Tensor,
  tree,
} from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { type Initializer, initialize, type Rng, rng } from "@chronograd/nn";
import { checkDefinition } from "./checkDefinition.ts";
import { checkNext, checkRows } from "./checkRows.ts";
import { initializersOf } from "./checkSizes.ts";
import type { LinearForm } from "./linear/defineLinearCell.ts";
import { rememberMaking } from "./making.ts";
import type { NoiseValues } from "./sequences/noise.ts";

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
    type Step = Cell<Params, State, X, Y>["step"];
    const checkedStepOf = (stepOf: typeof definition.step): Step => {
      const own = {
        step: (p, x, before, noise) =>
          stepOf(p, x, before, sizes, noise as NoiseValues<Drawn>) as ReturnType<Step>,
      } satisfies { step: Step };
      const step: Step = (weights, x, before, noise) => {
        checkBatchAxis(name, x, columns);
        return checkedStep(name, own, weights, x, before, noise);
      };
      checked.add(step);
      return step;
    };
    const step = checkedStepOf(definition.step);
    rememberMaking({ step }, { by: family });
    const equations = definition.equations && checkedStepOf(definition.equations);
    const linear = definition.linear?.(sizes);
    const noise = definition.noise?.(sizes);
    const initial =
      definition.initial &&
      ((p: Values<Params>, batch: number) => definition.initial!(p, batch, sizes) as Values<State>);
    return {
      params,
      state,
      ...(typeof columns === "number" && { input: [columns] }),
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

/** Steps that check what they take and return, and say whose they are. */
const checked = new WeakSet<object>();

/**
 * One step of a cell, whose result must be a pair and whose input and states must have one number
 * of rows. @internal
 */
export function runStep<Params, State, X, Y>(
  cell: Pick<Cell<Params, State, X, Y>, "step">,
  params: Values<Params>,
  x: X,
  state: Values<State>,
  noise?: unknown,
): readonly [output: Y, state: Values<State>] {
  return checked.has(cell.step)
    ? cell.step(params, x, state, noise)
    : checkedStep("cell", cell, params, x, state, noise);
}

function checkedStep<Params, State, X, Y>(
  name: string,
  cell: Pick<Cell<Params, State, X, Y>, "step">,
  params: Values<Params>,
  x: X,
  state: Values<State>,
  noise: unknown,
): readonly [output: Y, state: Values<State>] {
  checkRows(name, x, state);
  const result: unknown = cell.step(params, x, state, noise);
  if (!Array.isArray(result) || result.length !== 2) {
    throw new TypeError(
      `${name}: step must return [output, state], got ${Array.isArray(result) ? `an array of ${result.length}` : String(result)}`,
    );
  }
  checkNext(name, x, state, result[1]);
  return result as unknown as readonly [Y, Values<State>];
}

/**
 * A row of `columns` numbers, where rows of such were expected, would be taken for as many rows.
 */
function checkBatchAxis(name: string, x: unknown, columns: unknown): void {
  if (!(x instanceof Tensor) || x.rank !== 1 || x.dtype === "int32") return;
  if (typeof columns !== "number" || columns === 1) return;
  throw new RangeError(
    `${name}: the input [${x.shape}] has no axis for rows, expected [rows, ${columns}]; one row is x.reshape([1, ${columns}])`,
  );
}

/** Where new parameters and states live. */
export interface ValueOptions {
  /** float32 unless given. */
  readonly dtype?: FloatDType;
  readonly backend?: Backend;
}

export const valueOptions: readonly string[] = ["dtype", "backend"];

/**
 * A cell's parameters, drawn from a random generator: each from a separate generator, named by its
 * path.
 *
 * @example
 * ```ts
 * import { rng } from "@chronograd/nn";
 * import { gru, initialParams } from "@chronograd/rnn";
 *
 * const cell = gru({ input: 3, hidden: 5 });
 * const params = initialParams(cell, rng(1), { dtype: "float64" });
 * [params.W.shape, params.W.dtype]; // => [[3, 15], "float64"]
 * ```
 */
export function initialParams<Params>(
  cell: { readonly params: Params },
  random: Rng,
  options: ValueOptions = {},
): Values<Params> {
  checkOptions("initialParams", options, valueOptions);
  return initialize(cell.params, random, options) as Values<Params>;
}

/**
 * A cell's state before the first step, for a batch of rows: every leaf of shape `s` becomes
 * `[batch, ...s]`.
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
  checkOptions("initialState", options, valueOptions);
  if (!Number.isInteger(batch) || batch < 1) {
    throw new RangeError(`initialState: batch must be a whole number of at least 1, got ${batch}`);
  }
  return scope(() => {
    const rows = initialize(cell.state, rng(0, "state"), options);
    return tree.map(rows, (row: Tensor) => clone(row.broadcastTo([batch, ...row.shape])));
  }) as unknown as Values<State>;
}
