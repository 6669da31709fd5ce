import { eye, linearize, stack, Tape, type Tensor, vjp } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { advance } from "../sequences/advance.ts";
import type { Prepared } from "../sequences/prepare.ts";
import { oneRow, onlyFirst, preparedRows, repeatedFirst, repeatedRows, treeRows } from "./rows.ts";
import { paramsVector, rowSize, rowsTree, rowsVector } from "./vectors.ts";

/** What a step reads beside the state. */
export type StepInput<X> = Prepared & { readonly input: X };

/**
 * One step of a cell as a function of its parameters and of the state before it, both as vectors,
 * with its derivatives: `h_t = F_t(h_{t-1}, params)`, rows `[B, H]`. Rows are independent of each
 * other, as the contract of a cell says; marks and noise are those of the step.
 */
export class Transition<Params, State, X, Y> {
  readonly #cell: Cell<Params, State, X, Y>;
  readonly #params: Values<Params>;
  readonly #step: StepInput<X>;
  readonly #state: Values<State>;
  /** B. */
  readonly rows: number;
  /** H. */
  readonly size: number;

  constructor(
    cell: Cell<Params, State, X, Y>,
    params: Values<Params>,
    step: StepInput<X>,
    state: Values<State>,
  ) {
    this.#cell = cell;
    this.#params = params;
    this.#step = step;
    this.#state = state;
    this.rows = rowsVector(state).shape[0]!;
    this.size = rowSize(state);
  }

  /**
   * The step for a batch of `count B` rows: the same B, `count` times, from states of their own.
   */
  #times(count: number): (states: Tensor) => Tensor {
    const step = this.#step;
    const ofRows = repeatedRows(count);
    const input = treeRows(step.input, ofRows);
    const prepared = preparedRows(step, this.#cell.noise, ofRows, repeatedFirst(count));
    return (states) => {
      const before = rowsTree(states, this.#state) as unknown as Values<State>;
      return rowsVector(advance(this.#cell, this.#params, input, prepared, before).next);
    };
  }

  /** The state before the step, `[B, H]`. */
  get before(): Tensor {
    return rowsVector(this.#state);
  }

  /** The state after the step from other states: `[B, H]` to `[B, H]`. */
  after(states: Tensor): Tensor {
    return this.#times(states.shape[0]! / this.rows)(states);
  }

  /** `J v` for K directions of each row at once: `[K, B, H]` to `[K, B, H]`. */
  push(directions: Tensor): Tensor {
    const count = directions.shape[0]!;
    const states = repeatedRows(count)(this.before);
    const [, push] = linearize(this.#times(count), states);
    return push(directions.reshape(states.shape)).reshape(directions.shape);
  }

  /** `J' g` for K cotangents of each row at once: `[K, B, H]` to `[K, B, H]`. */
  pull(cotangents: Tensor): Tensor {
    const count = cotangents.shape[0]!;
    const states = repeatedRows(count)(this.before);
    const [, pull] = vjp(this.#times(count), states);
    return pull(cotangents.reshape(states.shape)).reshape(cotangents.shape);
  }

  /** `J[b,i,k] = dh_t[b,i] / dh_{t-1}[b,k]`: `[B, H, H]`. */
  jacobian(): Tensor {
    return this.pull(unitCotangents(this.before)).transpose([1, 0, 2]);
  }

  /**
   * The cotangent of the parameters, for C cotangents of each row of the state after the step and
   * for each row alone, with the state before it held constant: `[C, B, H]` to `[B, C, P]`.
   */
  pullParams(cotangents: Tensor): Tensor {
    const step = this.#step;
    const gradients: Tensor[] = [];
    for (let row = 0; row < this.rows; row++) {
      const ofRows = oneRow(row);
      const tape = new Tape();
      const watched = tape.watch(this.#params) as Values<Params>;
      const input = treeRows(step.input, ofRows);
      const prepared = preparedRows(step, this.#cell.noise, ofRows, onlyFirst);
      const before = treeRows(this.#state, ofRows);
      const after = rowsVector(advance(this.#cell, watched, input, prepared, before).next);
      const isConstant = !tape.tracks(after);
      for (let c = 0; c < cotangents.shape[0]!; c++) {
        const cotangent = cotangents.slice([c, [row, row + 1]]);
        const gradient = isConstant
          ? tape.gradient([], watched)
          : tape.gradient(after, watched, { cotangent });
        gradients.push(paramsVector(gradient));
      }
    }
    return stack(gradients).reshape([this.rows, cotangents.shape[0]!, -1]);
  }
}

/** A cotangent for each number of a state `[B, H]`, in all rows at once: `[H, B, H]`. */
export function unitCotangents({ shape, dtype, backend }: Tensor): Tensor {
  const [B, H] = shape as [number, number];
  const units = eye(H, H, { dtype, backend }).reshape([H, 1, H]);
  return units.broadcastTo([H, B, H]);
}
