import { full, type MapTree, type Mark, Tape, type Tensor, tree } from "@chronograd/autodiff";
import { kernelsOf } from "@chronograd/autodiff/extend";
import { Queue, Region, within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import { tokensOf } from "../countedLoss.ts";
import type { Past, PastStep } from "../live/liveWindow.ts";
import { stepIsOver, streamIsOver } from "../source.ts";
import { type Owned, type PreparedStep, type Term, takeStep } from "../step.ts";
import { noted } from "../unchanged.ts";
import type { Engine, EngineSettings, LocalGradients } from "./engine.ts";

/** A step that a gradient may still reach: where it begins on the tape, and its loss. */
interface StepOnTape<State, X, Target> {
  readonly step: PreparedStep<X, Target>;
  readonly generation: Owned<unknown>;
  /** The tape's position before the step, carrying the state there. */
  readonly before: Mark;
  readonly stateBefore: Values<State>;
  readonly loss: Tensor | null;
  readonly count: number;
}

/** Runs steps one by one on a tape, which keeps the last k2 of them. */
export class TapeEngine<Params, State, X, Y, Target> implements Engine<Params, State, X, Target> {
  readonly start: number;
  t: number;
  state: Values<State>;
  readonly stepsAtOnce = 1;
  readonly #cell: Cell<Params, State, X, Y>;
  readonly #settings: EngineSettings<Y, Target>;
  readonly #reason: string;
  readonly #tape: Tape;
  /** The parameters in use, and the tape's handles to them. */
  #used: Values<Params> | undefined;
  #watched: Values<Params> | undefined;
  /** The handles, and a region that holds their memory as long as a step ran with it. */
  #generation: Owned<unknown> | undefined;
  /** Holds the state before the first step until that is forgotten. */
  readonly #first = new Region();
  /** The steps on the tape, by their time. */
  readonly #steps: Queue<StepOnTape<State, X, Target>>;
  /** The regions of those steps, and of the one before them, if that was taken here. */
  readonly #held: Queue<Region>;

  /**
   * @param state the state after step `start`
   * @param reason why steps run on a tape, in words
   */
  constructor(
    cell: Cell<Params, State, X, Y>,
    settings: EngineSettings<Y, Target>,
    state: Values<State>,
    start: number,
    reason: string,
  ) {
    this.#cell = cell;
    this.#settings = settings;
    this.#reason = reason;
    this.#tape = within(null, () => new Tape());
    this.#steps = new Queue(start + 1);
    this.#held = new Queue(start + 1);
    // Watched, so that its gradient can be measured; as a leaf it is a constant of every sweep.
    this.state = this.#tape.watch(state) as Values<State>;
    for (const x of tree.leaves(state)) this.#first.hold(x.block);
    this.start = start;
    this.t = start;
  }

  get entries(): number {
    return this.#tape.entries.length;
  }

  take(params: Values<Params>, steps: readonly Owned<PreparedStep<X, Target>>[]): number[] {
    if (this.#used !== params) {
      this.#watched = this.#tape.watch(params, { as: this.#watched }) as Values<Params>;
      const region = new Region();
      this.#generation = { value: noted(this.#watched as object, region), region };
    }
    this.#used = params;
    return steps.map((step) => this.#takeOne(step));
  }

  #takeOne({ value: step, region }: Owned<PreparedStep<X, Target>>): number {
    this.#forget(this.t + 1 - this.#settings.k2);
    const before = this.#tape.mark(this.state);
    const stateBefore = this.state;
    const t = ++this.t;
    // First, so that it ends with the engine whatever happens.
    this.#held.push(region);
    const [cell, settings, tape] = [this.#cell, this.#settings, this.#tape];
    const { where } = settings;
    const { loss, count } = within(region, () => {
      const stepped = takeStep(cell, settings, tape, this.#watched!, stateBefore, step, t);
      const isSeparate = (settings.measure ?? settings.adaptive) !== undefined;
      this.state = tree.map(stepped.next, (x: Tensor) =>
        isSeparate && x.tape === this.#tape ? x.clone() : this.#asEntry(x),
      ) as Values<State>;
      return { loss: stepped.loss, count: tokensOf(where, stepped.count, t) };
    });
    for (const x of tree.leaves(this.state)) if (x.tape === null) region.hold(x.block);
    const generation = this.#generation!;
    this.#steps.push({ step, generation, before, stateBefore, loss, count });
    const value = loss === null ? 0 : sumOfElements(loss);
    if (!Number.isFinite(value)) {
      throw new RangeError(`${where}: the loss of step ${t} is ${value}; ${this.#origin()}`);
    }
    return value;
  }

  /** Where the first NaN or infinity of the last k2 steps is. */
  #origin(): string {
    const found = this.#tape.findNonFinite();
    if (found === undefined) return "its elements are finite, but their sum is not";
    return `${found.message}; lower the learning rate, clip gradients, or look at the input of that step`;
  }

  /**
   * A state that is a leaf (a parameter, say) as a separate entry, because cuts lie between
   * entries.
   */
  #asEntry(x: Tensor): Tensor {
    return x.tape === this.#tape && x.id < 0 ? x.clone() : x;
  }

  /** Forgets steps up to `t`; the state after step `t` stays, as a constant. */
  #forget(t: number): void {
    const steps = this.#steps;
    while (steps.base <= t) {
      const { generation } = steps.shift();
      const next = steps.length > 0 ? steps.at(steps.base).generation : this.#generation;
      if (next !== generation) generation.region.end(stepIsOver);
      this.#first.end(stepIsOver);
    }
    const next = steps.length > 0 ? steps.at(steps.base).before : undefined;
    this.#tape.forget(next ?? this.#tape.mark(this.state));
    // What came with a forgotten step may be the state that goes on: it stays one step longer.
    while (this.#held.base < t) this.#held.shift().end(stepIsOver);
  }

  countAt(t: number): number {
    return this.#steps.at(t).count;
  }

  sweep(terms: readonly Term[], start: number, measure: boolean): LocalGradients<Values<Params>> {
    const states = measure ? this.#statesAfter(start) : [];
    const result = this.#gradient(terms, start, { params: this.#watched!, states });
    const gradients = result.params as MapTree<Values<Params>, Tensor>;
    return { gradients: [gradients], ...(measure && { squares: result.states.map(sumOfSquares) }) };
  }

  /** The squares of `sweep` alone. */
  squares(terms: readonly Term[], start: number): readonly number[] {
    const { states } = this.#gradient(terms, start, { states: this.#statesAfter(start) });
    return states.map(sumOfSquares);
  }

  /** The states before the steps after `start`, as far as they vary. */
  #statesAfter(start: number): Tensor[][] {
    return Array.from({ length: this.t - start }, (_, i) =>
      tree.leaves(this.#steps.at(start + 1 + i).stateBefore).filter((x) => x.tape !== null),
    );
  }

  #gradient<T>(terms: readonly Term[], start: number, by: T): MapTree<T, Tensor> {
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
    return this.#tape.gradient(losses, by, { since, cotangent: cotangents });
  }

  explain(): string {
    return `step by step on a tape, because ${this.#reason}`;
  }

  past(): Past<Values<Params>, Values<State>, X, Target> {
    const first = Math.max(this.start, this.t + 1 - this.#settings.k2);
    const steps: PastStep<Values<Params>, X, Target>[] = [];
    for (let t = first + 1; t <= this.t; t++) {
      const { step, generation } = this.#steps.at(t);
      steps.push({ step, params: generation.value as Values<Params> });
    }
    const state = first === this.t ? this.state : this.#steps.at(first + 1).stateBefore;
    return { states: [state], steps, planned: [], reason: this.#reason, shards: 1 };
  }

  /** A tape runs every step itself, so nothing can differ. */
  finish(): void {}

  end(): void {
    this.#tape.end(streamIsOver);
    for (const region of this.#held) region.end(streamIsOver);
    for (const { generation } of this.#steps) generation.region.end(streamIsOver);
    this.#generation?.region.end(streamIsOver);
    this.#first.end(streamIsOver);
  }
}

function sumOfSquares(tensors: readonly Tensor[]): number {
  let squares = 0;
  for (const x of tensors) squares += kernelsOf(x.backend, x).sumSquares(x.size, x.pointer);
  return squares;
}

/** The elements of a loss, added up in float64. */
function sumOfElements(loss: Tensor): number {
  let sum = 0;
  for (const value of loss.toTypedArray()) sum += value;
  return sum;
}
