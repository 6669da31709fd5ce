import { full, type MapTree, type Mark, Tape, type Tensor, tree } from "@chronograd/autodiff";
import { kernelsOf, Queue, type Region, within } from "@chronograd/autodiff/extend";
import type { Cell, Values } from "../cell.ts";
import { stepIsOver, streamIsOver } from "./feed.ts";
import type { Plan, TimeStep } from "./options.ts";
import { takeStep, tokensOf } from "./step.ts";

/** A step that a gradient may still reach: where it begins on the tape, and its loss. */
interface Recorded<State> {
  /** The tape's position before the step, carrying the state there. */
  readonly before: Mark;
  readonly stateBefore: Values<State>;
  readonly loss: Tensor | null;
  readonly count: number;
}

/** A weighted loss of a window's objective. */
export interface Term {
  readonly t: number;
  readonly weight: number;
}

/** What a sweep gives: sums over the rows of a batch, so parts of a batch add up. */
export interface Swept<Params> {
  readonly gradients: MapTree<Params, Tensor>;
  /** Squared norms of the gradient by the state before each step, where they were asked for. */
  readonly squares?: readonly number[];
}

/**
 * The stretch of a stream that is on the tape: the last k2 steps at most. It takes steps one at a time, drops the
 * oldest, and sweeps.
 */
export class Segment<Params, State, X, Y, Target> {
  readonly cell: Cell<Params, State, X, Y>;
  readonly plan: Plan<State, Y, Target>;
  readonly tape: Tape;
  #watched: Values<Params> | undefined;
  #state: Values<State>;
  /** The steps on the tape, by their time. */
  readonly #steps: Queue<Recorded<State>>;
  /** The regions of those steps, and of the one before them, if that was taken here. */
  readonly #held: Queue<Region>;
  #t: number;

  constructor(
    cell: Cell<Params, State, X, Y>,
    plan: Plan<State, Y, Target>,
    state: Values<State>,
    t: number,
  ) {
    this.cell = cell;
    this.plan = plan;
    this.tape = within(null, () => new Tape());
    this.#steps = new Queue(t + 1);
    this.#held = new Queue(t + 1);
    // Watched, so that the gradient at this cut can be measured; as a leaf it is a constant of every sweep.
    this.#state = this.tape.watch(state) as Values<State>;
    this.#t = t;
  }

  /** Steps taken so far. */
  get t(): number {
    return this.#t;
  }

  /** Entries on the tape. */
  get entries(): number {
    return this.tape.entries.length;
  }

  /** The state after the last step. */
  get state(): Values<State> {
    return this.#state;
  }

  /** The state before step `t`. */
  stateBefore(t: number): Values<State> {
    return t > this.#t ? this.#state : this.#steps.at(t).stateBefore;
  }

  /** From now on steps use these parameters; gradients are by all that were used, as one. */
  use(params: Values<Params>): void {
    this.#watched = this.tape.watch(params, { as: this.#watched }) as Values<Params>;
  }

  /** Takes one step, whose untracked values live in `region`, and drops what no window can need any more. */
  take(step: TimeStep<X, Target>, region: Region): number {
    this.#forget(this.#t + 1 - this.plan.k2);
    const before = this.tape.mark(this.#state);
    const stateBefore = this.#state;
    this.#t++;
    const t = this.#t;
    // First, so that it ends with the segment whatever happens.
    this.#held.push(region);
    const { loss, count } = within(region, () => {
      const { cell, plan, tape } = this;
      const stepped = takeStep(cell, plan, tape, this.#watched!, stateBefore, step, t);
      this.#state = tree.map(stepped.next, (x: Tensor) => this.#asEntry(x)) as Values<State>;
      return { loss: stepped.loss, count: tokensOf(stepped.count, t) };
    });
    for (const x of tree.leaves(this.#state)) if (x.tape === null) region.hold(x.block);
    this.#steps.push({ before, stateBefore, loss, count });
    const value = loss === null ? 0 : sumOf(loss);
    if (!Number.isFinite(value)) {
      throw new RangeError(`truncated: the loss of step ${t} is ${value}; ${this.#origin()}`);
    }
    return value;
  }

  /** Where the first NaN or infinity of the last k2 steps is. */
  #origin(): string {
    const found = this.tape.findNonFinite();
    if (found === undefined) return "its elements are finite, but their sum is not";
    return `${found.message}; lower the learning rate, clip gradients, or look at the input of that step`;
  }

  /** A state that is a leaf (a parameter, say) as an entry of its own: cuts are between entries. */
  #asEntry(x: Tensor): Tensor {
    return x.tape === this.tape && x.id < 0 ? x.clone() : x;
  }

  /** Forgets steps up to `t`; the state after step `t` stays, as a constant. */
  #forget(t: number): void {
    while (this.#steps.base <= t) this.#steps.shift();
    const next = this.#steps.length > 0 ? this.#steps.at(this.#steps.base).before : undefined;
    this.tape.forget(next ?? this.tape.mark(this.#state));
    // What came in with a forgotten step may be the state that goes on, so it stays one step longer.
    while (this.#held.base < t) this.#held.shift().end(stepIsOver);
  }

  /** Tokens that step `t` counts. */
  countAt(t: number): number {
    return this.#steps.at(t).count;
  }

  /**
   * The gradient of a weighted sum of losses, with the state after step `start` held constant, and, when asked for,
   * the square of the norm of its gradient by the state before every step after `start`.
   */
  sweep(terms: readonly Term[], start: number, measure: boolean): Swept<Values<Params>> {
    const since = this.#steps.at(start + 1).before;
    const losses: Tensor[] = [];
    const cotangents: Tensor[] = [];
    for (const { t, weight } of terms) {
      const { loss } = this.#steps.at(t);
      if (loss === null) continue;
      losses.push(loss);
      const { shape, dtype, backend } = loss;
      cotangents.push(full(shape, weight, { dtype, backend }));
    }
    const states: Tensor[][] = [];
    for (let t = start + 1; measure && t <= this.#t; t++) {
      states.push(tracked(this.#steps.at(t).stateBefore));
    }
    const result = this.tape.gradient(
      losses,
      { params: this.#watched!, states },
      { since, cotangent: cotangents },
    ) as unknown as { params: MapTree<Values<Params>, Tensor>; states: Tensor[][] };
    if (!measure) return { gradients: result.params };
    return { gradients: result.params, squares: result.states.map(sumOfSquares) };
  }

  end(): void {
    this.tape.end(streamIsOver);
    for (const region of this.#held) region.end(streamIsOver);
  }
}

/** The tensors of a state that a tape tracks. */
function tracked(state: unknown): Tensor[] {
  return tree.leaves(state).filter((x) => x.tape !== null);
}

function sumOfSquares(tensors: readonly Tensor[]): number {
  let squares = 0;
  for (const x of tensors) squares += kernelsOf(x.backend, x).sumSquares(x.size, x.pointer);
  return squares;
}

/** The elements of a loss, added up in float64. @internal */
function sumOf(loss: Tensor): number {
  let sum = 0;
  for (const value of loss.toTypedArray()) sum += value;
  return sum;
}
