import { scope, Tape, Tensor, tensor, tree } from "@chronograd/autodiff";
import { type Differences, differences, type Numeric } from "@chronograd/autodiff/testing";
import { type CountedLoss, tokensOf } from "../../truncated/countedLoss.ts";
import type { PlainCell } from "../draw.ts";
import type { Ages, Part } from "./definition.ts";
import type { Direction } from "./directions.ts";
import { type MarkedStep, type MarkMistake, stepWithMarks } from "./marked.ts";

/** A loss of any model. */
export type PlainLoss = (output: unknown, target: unknown) => Tensor | CountedLoss | null;

/** Steps `first` to `end`; of these, the weights of steps up to `last` move. */
interface Moving {
  readonly first: number;
  readonly last: number;
  readonly end: number;
}

/**
 * A stream that is run with given weights, step by step, and nothing else: no window, and a tape
 * for `gradient` alone.
 */
export class Experiment {
  readonly model: PlainCell;
  readonly steps: readonly MarkedStep[];
  readonly state: unknown;
  readonly batch: number;
  readonly loss: PlainLoss;
  /** The weights before any update, after the first, and so on. */
  readonly generations: readonly unknown[];
  /** Tokens in the loss of each step, from 1. */
  readonly counts: Float64Array;
  /** The same if rows without a step counted too. */
  readonly paddedCounts: Float64Array;
  readonly #mistake: MarkMistake | undefined;
  readonly #states = new Map<string, unknown[]>();
  readonly #slopes = new WeakMap<Direction, Map<string, Differences>>();

  constructor(
    model: PlainCell,
    steps: readonly MarkedStep[],
    state: unknown,
    batch: number,
    loss: PlainLoss,
    generations: readonly unknown[],
    mistake?: MarkMistake,
  ) {
    this.model = model;
    this.steps = steps;
    this.state = state;
    this.batch = batch;
    this.#mistake = mistake;
    this.loss = loss;
    this.generations = generations;
    this.counts = new Float64Array(steps.length + 1);
    this.paddedCounts = new Float64Array(steps.length + 1);
    let ofRow = 0;
    scope(() => {
      this.#run(
        state,
        1,
        steps.length,
        () => generations[0],
        (t, found, rows) => {
          const count = countOf(found, t);
          ofRow = count / rows;
          this.counts[t] = count;
          this.paddedCounts[t] = ofRow * batch;
        },
      );
    });
    for (const [i, { mask }] of steps.entries()) {
      if (mask !== undefined) this.paddedCounts[i + 1] ||= ofRow * batch;
    }
  }

  /** The same stream, if marks were taken otherwise, or other steps in place of its own. */
  with(mistake: MarkMistake | undefined, steps: readonly MarkedStep[] = this.steps): Experiment {
    const { model, state, batch, loss, generations } = this;
    return new Experiment(model, steps, state, batch, loss, generations, mistake);
  }

  /**
   * Runs steps from a state, with the weights of each; hands over the losses, and returns the last
   * state.
   */
  #run(
    state: unknown,
    first: number,
    end: number,
    weights: (t: number) => unknown,
    take: (t: number, loss: Tensor | CountedLoss, rows: number) => void,
  ): unknown {
    let now = state;
    for (let t = first; t <= end; t++) {
      const { model, loss, batch } = this;
      const step = this.steps[t - 1]!;
      const done = stepWithMarks(model, loss, weights(t), step, now, batch, this.#mistake);
      now = done.next;
      if (done.found !== null) take(t, done.found, done.rows);
    }
    return now;
  }

  /**
   * The states after steps 0, 1, ... for weights of these ages; they live as long as the scope of
   * the first call.
   */
  #statesFor(ages: Ages): readonly unknown[] {
    const key = this.steps.map((_, i) => ages(i + 1)).join();
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const states = [this.state];
    for (const [i] of this.steps.entries()) {
      const weights = this.generations[ages(i + 1)];
      states.push(
        scope(() =>
          this.#run(
            states[i],
            i + 1,
            i + 1,
            () => weights,
            () => {},
          ),
        ),
      );
    }
    this.#states.set(key, states);
    return states;
  }

  /**
   * The loss of every step from `first` to `end`, by step: its elements added up, 0 where there is
   * none.
   */
  losses(
    first: number,
    end: number,
    ages: Ages,
    weights: (t: number) => unknown = (t) => this.generations[ages(t)],
  ): Float64Array {
    const before = this.#statesFor(ages)[first - 1];
    const sums = new Float64Array(this.steps.length + 1);
    scope(() => {
      this.#run(before, first, end, weights, (t, found) => {
        for (const element of elementsOf(found).toTypedArray()) sums[t]! += element;
      });
    });
    return sums;
  }

  /**
   * The derivatives of the losses of steps `first` to `end`, by differences: the weights of steps
   * `first` to `last` move, and the state before them does not.
   */
  slopes(ages: Ages, { first, last, end }: Moving, direction: Direction): Differences {
    const known = this.#slopes.get(direction) ?? new Map<string, Differences>();
    this.#slopes.set(direction, known);
    const key = `${Array.from({ length: end }, (_, i) => ages(i + 1))} ${first} ${last}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    // Outside of the scopes below, so that they are still there for the next call.
    this.#statesFor(ages);
    const at = (s: number): Float64Array =>
      scope(() => {
        const moved = new Map<number, unknown>();
        return this.losses(first, end, ages, (t) => {
          const age = ages(t);
          const weights = this.generations[age];
          if (t > last || s === 0) return weights;
          if (!moved.has(age)) moved.set(age, move(weights, direction, s));
          return moved.get(age);
        });
      });
    const found = differences(at, direction.h);
    known.set(key, found);
    return found;
  }

  /** The derivative of an objective: those of its losses, each as often as it counts. */
  derivative(ages: Ages, objective: readonly Part[], direction: Direction): Numeric {
    const sum = { value: 0, uncertainty: 0, steepest: 0, natural: 0 };
    for (const { start, end, weights } of objective) {
      const found = this.slopes(ages, { first: start + 1, last: end, end }, direction);
      for (const [t, weight] of weights.entries()) {
        if (weight === 0) continue;
        const size = Math.abs(weight);
        sum.value += weight * found.values[t]!;
        sum.uncertainty += size * found.uncertainties[t]!;
        sum.steepest += size * found.steepest[t]!;
        sum.natural += size * found.sizes[t]!;
      }
    }
    return sum;
  }

  /**
   * The gradient of an objective by a plain tape over plain steps: as wrong as the model's own
   * rules are, and right otherwise.
   */
  gradient(ages: Ages, objective: readonly Part[]): Map<string, Float64Array> {
    const total = new Map<string, Float64Array>();
    const states = this.#statesFor(ages);
    for (const { start, end, weights } of objective) {
      scope(() => {
        const tape = new Tape();
        const newest = tape.watch(this.generations[ages(end)]);
        const watched = this.generations.map((each, age) =>
          age === ages(end) ? newest : tape.watch(each, { as: newest }),
        );
        const losses: Tensor[] = [];
        this.#run(
          states[start],
          start + 1,
          end,
          (t) => watched[ages(t)],
          (t, found) => {
            const elements = elementsOf(found);
            if (weights[t] === 0 || !tape.tracks(elements)) return;
            losses.push(elements.sum().mul(weights[t]!));
          },
        );
        for (const [path, g] of tree.leavesWithPath(tape.gradient(losses, newest))) {
          const before = total.get(path);
          const values = Float64Array.from(g.toTypedArray());
          total.set(path, before === undefined ? values : values.map((x, i) => x + before[i]!));
        }
      });
    }
    return total;
  }
}

function countOf(found: Tensor | CountedLoss, t: number): number {
  if (found instanceof Tensor) return found.size;
  const { count } = found;
  const isForRows = count instanceof Tensor && count.size > 1;
  return tokensOf("truncated", isForRows ? count.sum() : count, t);
}

function elementsOf(found: Tensor | CountedLoss): Tensor {
  return found instanceof Tensor ? found : found.loss;
}

/** Weights moved by `s` along a direction. */
function move(weights: unknown, { v }: Direction, s: number): unknown {
  return tree.map(weights, (x: Tensor, path) => {
    const along = v.get(path);
    if (along === undefined) return x;
    const values = Float64Array.from(x.toTypedArray(), (value, i) => value + s * along[i]!);
    return tensor(values, { shape: x.shape, backend: x.backend });
  });
}
