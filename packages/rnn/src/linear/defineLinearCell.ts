import { isTensor, linearRecurrence, type Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import {
  type Cell,
  type CellDefinition,
  type CellSizes,
  defineCell,
  type FamilySizes,
  type NoChoices,
  type NoNumbers,
  type Values,
} from "../cell.ts";
import type { HiddenState } from "../cells/elman.ts";
import { textOf } from "../checkDefinition.ts";
import { kindOf } from "../findTensor.ts";

/** The step of a recurrence that is linear in its state: `h_t = a h_{t-1} + b`. */
export interface Transition {
  /** `[B, ...]` as the state, or without the rows where all have the same. */
  readonly a: Tensor;
  /** As `a`. */
  readonly b: Tensor;
}

/** A cell by the parts of its step, which take any number of rows: those of all steps at once. */
export interface LinearForm<Params, X, Y> {
  /**
   * Whether the last axis of the state holds real parts, and as many imaginary ones behind them.
   */
  readonly complex: boolean;
  transition(params: Values<Params>, x: X): Transition;
  output(params: Values<Params>, h: Tensor, x: X): Y;
}

/** What `defineLinearCell` takes; see `CellDefinition`. */
export interface LinearCellDefinition<Sizes, Params, X, Y, Numbers = NoNumbers>
  extends Pick<
    CellDefinition<Sizes, Params, HiddenState, X, Y, NoChoices, unknown, Numbers>,
    "name" | "sizes" | "numbers" | "params" | "state" | "initial" | "example"
  > {
  /**
   * Complex numbers: the last axis of `h`, `a` and `b` holds real parts in its first half and
   * imaginary parts in its second.
   */
  readonly complex?: boolean;
  /** What a step does to the state; it depends on the input alone. */
  transition(params: Values<Params>, x: X, sizes: Sizes & NoInfer<Numbers>): Transition;
  /** The output of a step, from the state after it; that state unless given. */
  output?(params: Values<Params>, h: Tensor, x: X, sizes: Sizes & NoInfer<Numbers>): Y;
}

/**
 * A family of cells whose step is linear in the state: `h_t = a h_{t-1} + b`, element by element,
 * where `a` and `b` depend on the input. From them come the step, and the whole sequence at once,
 * `unroll(cell, params, inputs, { parallel: true })`: all inputs as rows of one product, then one
 * scan over time.
 *
 * @returns a function from sizes to a cell, as that of `defineCell`
 *
 * @example
 * ```ts
 * import { zeros } from "@chronograd/autodiff";
 * import { init, rng } from "@chronograd/nn";
 * import { defineLinearCell, initialParams, unroll } from "@chronograd/rnn";
 *
 * // Leaky sums with learned rates.
 * const leaky = defineLinearCell({
 *   params: ({ input, hidden }) => ({ W: init.glorot(input, hidden), rate: init.zeros(hidden) }),
 *   state: ({ hidden }) => ({ h: init.zeros(hidden) }),
 *   transition: ({ W, rate }, x) => ({ a: rate.sigmoid(), b: x.matmul(W) }),
 *   output: (_params, h) => h.tanh(),
 * });
 * const cell = leaky({ input: 3, hidden: 5 });
 * const params = initialParams(cell, rng(1));
 * unroll(cell, params, zeros([1000, 2, 3]), { parallel: true }).outputs.shape; // => [1000, 2, 5]
 * ```
 */
export function defineLinearCell<
  Params,
  X = Tensor,
  Y = Tensor,
  Sizes = CellSizes,
  Numbers extends Readonly<Record<string, number>> = NoNumbers,
>(
  definition: LinearCellDefinition<Sizes, Params, X, Y, Numbers>,
): (sizes: FamilySizes<Sizes, NoInfer<Numbers>>) => Cell<Params, HiddenState, X, Y> {
  checkOptions("defineLinearCell", definition, parts);
  const { complex = false, transition, output = (_, h) => h as Y, ...rest } = definition;
  if (typeof transition !== "function") {
    throw new TypeError(
      `defineLinearCell: transition must be a function (params, x) => ({ a, b }), got ${textOf(transition)}`,
    );
  }
  return defineCell<Params, HiddenState, X, Y, Sizes, NoChoices, unknown, Numbers>({
    ...rest,
    state(sizes) {
      const made = rest.state(sizes);
      if (made && Object.keys(made).join() === "h") return made;
      throw new TypeError(
        `defineLinearCell: the state must be { h }, one initialiser, got ${textOf(made)}; join what it is made of along the last axis`,
      );
    },
    step(params, x, { h }, sizes) {
      const next = carry(transition(params, x, sizes), h, complex);
      return [output(params, next, x, sizes), { h: next }];
    },
    linear: (sizes) => ({
      complex,
      transition: (params, x) => transition(params, x, sizes),
      output: (params, h, x) => output(params, h, x, sizes),
    }),
  });
}

const parts = "name sizes numbers params state initial complex transition output example".split(
  " ",
);

/**
 * Throws a sentence unless a coefficient has the shape of the state, with its rows or without.
 */
export function checkCoefficient(name: "a" | "b", x: unknown, shape: readonly number[]): void {
  const own = isTensor(x) ? x.shape.join() : undefined;
  if (own === shape.join() || own === shape.slice(1).join()) return;
  throw new RangeError(
    `defineLinearCell: transition must give ${name} as the state, [${shape}], or without its rows, [${shape.slice(1)}], got ${isTensor(x) ? `[${x.shape}]` : kindOf(x)}`,
  );
}

/** `a h + b`: one step of the scan, so that both ways have the same bits. */
export function carry({ a, b }: Transition, h: Tensor, complex: boolean): Tensor {
  checkCoefficient("a", a, h.shape);
  checkCoefficient("b", b, h.shape);
  const one = [1, ...h.shape];
  const all = linearRecurrence(a.broadcastTo(one), b.broadcastTo(one), h, { complex });
  return all.reshape(h.shape);
}
