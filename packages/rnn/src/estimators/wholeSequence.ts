import { concat, type MapTree, stack, type Tensor, tensor, tree, vjp } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import { rowsTree, rowsVector } from "../derivatives/vectors.ts";
import { likeParams } from "../initial.ts";
import { advance } from "../sequences/advance.ts";
import type { CheckedMarks } from "../sequences/marks.ts";
import { Preparation, type Prepared } from "../sequences/prepare.ts";
import { fillRows } from "../sequences/rows.ts";
import { outputOfNone, present } from "../sequences/unrollSteps.ts";
import { errorOfStep } from "../stepErrors.ts";

/** What a sequence is a function of: each may be tracked. */
export interface Arguments<Params, State> {
  readonly params: Values<Params>;
  /** The state before the first step. */
  readonly start: Values<State>;
  /** The inputs of all steps, with T B rows. */
  readonly input: unknown;
  /** Their marks, and the initial states of rows that are reset. */
  readonly marks: Omit<Prepared, "isEmpty">;
}

/**
 * All T steps of a cell as one step of T B rows, time first: each from a state of its own, so that
 * they can be run at once, from any trajectory `[T B, H]` of states after the steps.
 */
export class WholeSequence<Params, State, X, Y> {
  readonly #where: string;
  readonly cell: Cell<Params, State, X, Y>;
  readonly marks: CheckedMarks;
  /** T. */
  readonly steps: number;
  /** B. */
  readonly rows: number;
  readonly #isEmpty: boolean;
  readonly given: Arguments<Params, State>;

  constructor(
    where: string,
    cell: Cell<Params, State, X, Y>,
    { params, start, input }: Omit<Arguments<Params, State>, "marks">,
    marked: CheckedMarks,
    steps: number,
  ) {
    this.#where = where;
    this.cell = cell;
    this.marks = marked;
    this.steps = steps;
    this.rows = rowsVector(start).shape[0]!;
    const preparation = new Preparation(where, cell, likeParams([params, start]), {
      rng: null,
      isFresh: false,
      isUniform: false,
      keep: (make) => make(),
    });
    const { mask, resets } = marked;
    const all = {
      ...(mask && { mask: mask.reshape([-1]) }),
      ...(resets && { reset: resets.reshape([-1]) }),
    };
    const { isEmpty = false, ...marks } = preparation.next(all, input, 1);
    this.#isEmpty = isEmpty;
    this.given = { params, start, input, marks };
  }

  /** The states before all steps, from those after them. */
  before(start: Values<State>, states: Tensor): Tensor {
    const first = rowsVector(start);
    const others = (this.steps - 1) * this.rows;
    return others === 0 ? first : concat([first, states.slice([[0, others]])]);
  }

  #prepared(marks: Arguments<Params, State>["marks"]): Prepared {
    return this.#isEmpty ? { ...marks, isEmpty: true } : marks;
  }

  #advance({ params, start, input, marks }: Arguments<Params, State>, before: Tensor) {
    const { mask, first } = marks;
    const states = rowsTree(before, start) as unknown as Values<State>;
    const given = fillRows(input, mask, first) as X;
    try {
      return advance(this.cell, params, given, this.#prepared(marks), states);
    } catch (cause) {
      const which = this.steps === 1 ? "step" : "steps 1 to";
      throw errorOfStep(`${this.#where}: ${which}`, this.steps, cause);
    }
  }

  /**
   * The states after all steps, from those before them: `[T B, H]`.
   *
   * @throws for a step that changes the shape of the state
   */
  after(given: Arguments<Params, State>, before: Tensor): Tensor {
    const after = rowsVector(this.#advance(given, before).next);
    if (after.shape.join() === before.shape.join()) return after;
    throw new RangeError(
      `${this.#where}: a step takes a state of ${before.shape[1]} numbers to one of ${after.shape[1]}, and all states are solved for at once; run the cell with unroll`,
    );
  }

  /** The outputs of all steps, `[T, B, ...]`; 0 where a row has no step. */
  outputs(given: Arguments<Params, State>, before: Tensor): MapTree<Y, Tensor> {
    const done = this.#advance(given, before);
    const output =
      present(done.output, given.marks) ??
      tree.map(outputOfNone(this.cell, given.params, given.input as X, done.next), (x: Tensor) =>
        x.mul(0),
      );
    const ofSteps = ({ shape }: Tensor) => [this.steps, this.rows, ...shape.slice(1)];
    return tree.map(output, (x: Tensor) => x.reshape(ofSteps(x))) as MapTree<Y, Tensor>;
  }

  /** As `after`, and the Jacobian of each step and row, `[T, B, H, H]`, a row at a time. */
  linearized(given: Arguments<Params, State>, before: Tensor): readonly [Tensor, Tensor] {
    const [after, pull] = vjp((states: Tensor) => this.after(given, states), before);
    const [rows, H] = before.shape as [number, number];
    const { dtype, backend } = before;
    const ofRow = (i: number) => {
      const unit = tensor(
        Float64Array.from({ length: H }, (_, k) => (k === i ? 1 : 0)),
        {
          dtype,
          backend,
        },
      );
      return pull(unit.broadcastTo([rows, H]));
    };
    const jacobians = stack(
      Array.from({ length: H }, (_, i) => ofRow(i)),
      1,
    );
    return [after, jacobians.reshape([this.steps, -1, H, H])];
  }
}
