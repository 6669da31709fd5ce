import { scope, Tensor, tensor, tree } from "@chronograd/autodiff";
import { type Differences, differences } from "@chronograd/autodiff/testing";
import { runStep } from "../../cell.ts";
import type { CountedLoss, TimeStep } from "../../truncated/options.ts";
import { tokensOf } from "../../truncated/step.ts";
import type { PlainCell } from "../draw.ts";
import type { Ages } from "./definition.ts";

/** A direction in the space of parameters, by path; parameters left out do not move. */
export type Direction = ReadonlyMap<string, Float64Array>;

/** A loss of any model. */
export type PlainLoss = (output: unknown, target: unknown) => Tensor | CountedLoss | null;

function tokens(found: ReturnType<PlainLoss>, t: number): number {
  if (found === null) return 0;
  return found instanceof Tensor ? found.size : tokensOf(found.count, t);
}

/** A stream that is run with given weights, step by step, and nothing else: no tape, no window. */
export class Experiment {
  readonly model: PlainCell;
  readonly steps: readonly TimeStep<unknown, unknown>[];
  readonly state: unknown;
  readonly loss: PlainLoss;
  /** The weights before any update, after the first, and so on. */
  readonly generations: readonly unknown[];
  /** Tokens in the loss of each step, from 1. */
  readonly counts: Float64Array;
  readonly #states = new Map<string, unknown[]>();

  constructor(
    model: PlainCell,
    steps: readonly TimeStep<unknown, unknown>[],
    state: unknown,
    loss: PlainLoss,
    generations: readonly unknown[],
  ) {
    this.model = model;
    this.steps = steps;
    this.state = state;
    this.loss = loss;
    this.generations = generations;
    this.counts = new Float64Array(steps.length + 1);
    scope(() => {
      let now = state;
      for (const [i, { input, target }] of steps.entries()) {
        const [output, next] = runStep(model, generations[0], input, now);
        this.counts[i + 1] = tokens(loss(output, target), i + 1);
        now = next;
      }
    });
  }

  /** Number of elements of the float parameters. */
  get size(): number {
    return tree
      .leavesWithPath(this.generations[0])
      .reduce((n, [, x]) => n + (x.dtype === "int32" ? 0 : x.size), 0);
  }

  /** The states after steps 0, 1, ... for weights of these ages; they live as long as the scope of the first call. */
  states(ages: Ages): readonly unknown[] {
    const key = this.steps.map((_, i) => ages(i + 1)).join();
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const states = [this.state];
    for (const [i, { input }] of this.steps.entries()) {
      const next = scope(() => {
        const weights = this.generations[ages(i + 1)];
        return runStep(this.model, weights, input, states[i])[1];
      });
      states.push(next);
    }
    this.#states.set(key, states);
    return states;
  }

  /** The loss of every step from `first` to `end`, by step; the state before is the one that `ages` lead to. */
  losses(first: number, end: number, ages: Ages, weights: (t: number) => unknown): Float64Array {
    const before = this.states(ages)[first - 1];
    const found = new Float64Array(this.steps.length + 1);
    scope(() => {
      let state = before;
      for (let t = first; t <= end; t++) {
        const { input, target } = this.steps[t - 1]!;
        const [output, next] = runStep(this.model, weights(t), input, state);
        state = next;
        found[t] = this.lossOf(output, target);
      }
    });
    return found;
  }

  /** A loss as a number: its elements added up, 0 where there is none. */
  lossOf(output: unknown, target: unknown): number {
    const found = this.loss(output, target);
    if (found === null) return 0;
    const elements = (found instanceof Tensor ? found : found.loss).toTypedArray();
    let sum = 0;
    for (const element of elements) sum += element;
    return sum;
  }

  /**
   * The derivatives of the losses of steps `first` to `end` along `v`, by differences: the weights of steps `first` to
   * `last` move, and the state before them does not.
   */
  slopes(
    ages: Ages,
    { first, last, end }: { readonly first: number; readonly last: number; readonly end: number },
    v: Direction,
    h: number,
  ): Differences {
    // Outside of the scopes below, so that they are still there for the next call.
    this.states(ages);
    const at = (s: number): Float64Array =>
      scope(() => {
        const moved = new Map<number, unknown>();
        return this.losses(first, end, ages, (t) => {
          const age = ages(t);
          const weights = this.generations[age];
          if (t > last || s === 0) return weights;
          if (!moved.has(age)) moved.set(age, move(weights, v, s));
          return moved.get(age);
        });
      });
    return differences(at, h);
  }
}

/** Weights moved by `s` along `v`. */
function move(weights: unknown, v: Direction, s: number): unknown {
  return tree.map(weights, (x: Tensor, path) => {
    const along = v.get(path);
    if (along === undefined) return x;
    const values = x.toTypedArray() as Float64Array;
    const { shape, backend } = x;
    return tensor(
      values.map((value, i) => value + s * along[i]!),
      { shape, dtype: "float64", backend },
    );
  });
}

/** `<gradient, v>`; a gradient that lacks a parameter counts as zero there. */
export function along(gradients: ReadonlyMap<string, Float64Array>, v: Direction): number {
  let sum = 0;
  for (const [path, direction] of v) {
    const g = gradients.get(path);
    if (g !== undefined) for (let i = 0; i < direction.length; i++) sum += g[i]! * direction[i]!;
  }
  return sum;
}
