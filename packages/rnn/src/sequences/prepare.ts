import { type Tensor, tensor } from "@chronograd/autodiff";
import { isTracing } from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import { rowsOf } from "../checkRows.ts";
import { initialState, type ValueOptions } from "../initial.ts";
import { checkMark, type Marks } from "./marks.ts";
import { checkRng, drawNoise, hasNoise } from "./noise.ts";
import { firstOf } from "./rows.ts";

/** What a step is run with beside its input: made from its marks, and drawn. */
export interface Prepared extends Marks {
  /**
   * `[B]`, where rows may be masked: 1 at the first row that has a step, which fills their places.
   */
  readonly first?: Tensor;
  /** No row has a step. */
  readonly isEmpty?: true;
  /** The initial state, for the rows that are reset, unless it is learned. */
  readonly fresh?: unknown;
  /** What the model draws. */
  readonly noise?: unknown;
}

/** A model whose steps are prepared. */
interface Model {
  readonly state: unknown;
  readonly noise?: unknown;
  initial?(params: never, batch: number): unknown;
}

/** How a loop prepares its steps. */
export interface PreparationOptions {
  /** Draws the model's noise; `null` for none. */
  readonly rng: Rng | null | undefined;
  /** Whether the loop begins with the model's own initial state. */
  readonly isFresh: boolean;
  /** Whether all steps must have one structure, whatever stands in their marks. */
  readonly isUniform: boolean;
  /** The noise of the step before the first, of which what is drawn per window goes on. */
  readonly noise?: unknown;
  /** Where values are made that outlive a step. */
  keep<T>(make: () => T): T;
}

/** A step without marks and noise. */
const plain: Prepared = {};

/** Makes what each step is run with, one after the other. */
export class Preparation {
  readonly #where: string;
  readonly #model: Model;
  readonly #like: ValueOptions;
  readonly #place: Pick<ValueOptions, "backend">;
  readonly #options: PreparationOptions;
  readonly #hasNoise: boolean;
  #fresh: unknown;
  #noise: unknown;
  #isFirst = true;

  constructor(where: string, model: Model, like: ValueOptions, options: PreparationOptions) {
    checkRng(where, model, options.rng);
    this.#where = where;
    this.#model = model;
    this.#like = like;
    this.#place = like.backend ? { backend: like.backend } : {};
    this.#options = options;
    this.#noise = options.noise;
    this.#hasNoise = options.rng != null && hasNoise(model);
  }

  /** What is drawn per window is drawn anew at the next step. */
  beginWindow(): void {
    this.#noise = undefined;
  }

  /** What step `t` is run with, in the order of time. */
  next({ reset, mask }: Marks, input: unknown, t: number): Prepared {
    const isPlain = reset === undefined && mask === undefined;
    if (isPlain && !this.#hasNoise && this.#model.initial === undefined) return plain;
    const batch = rowsOf(input) ?? mask?.shape[0] ?? reset?.shape[0];
    const { rng, isFresh } = this.#options;
    if (this.#hasNoise) {
      this.#noise = drawNoise(this.#model.noise, rng!, batch ?? 1, this.#like, this.#noise);
    }
    const isStart = this.#isFirst && isFresh;
    this.#isFirst = false;
    return {
      ...this.#resets(reset, batch, t, isStart),
      ...(mask !== undefined && this.#mask(mask, batch, t)),
      ...(this.#hasNoise && { noise: this.#noise }),
    };
  }

  /** A stream begins with a reset of all rows where the initial state is learned. */
  #resets(
    given: Tensor | undefined,
    batch: number | undefined,
    t: number,
    isStart: boolean,
  ): Marks {
    const { isUniform, keep } = this.#options;
    const isLearned = this.#model.initial !== undefined;
    if (given !== undefined) {
      checkMark(`${this.#where}: the reset of step ${t}`, given, [batch ?? given.size]);
    }
    const all = (value: number) => tensor(new Int32Array(batch ?? 1).fill(value), this.#place);
    const reset =
      isLearned && isStart ? all(1) : (given ?? (isLearned && isUniform ? all(0) : undefined));
    if (reset === undefined) return {};
    const isKnown = !isUniform && !isTracing();
    if (isKnown && !reset.toTypedArray().includes(1)) return {};
    if (isLearned) return { reset };
    this.#fresh ??= keep(() => initialState(this.#model, batch ?? given!.size, this.#like));
    return { reset, fresh: this.#fresh } as Marks;
  }

  #mask(mask: Tensor, batch: number | undefined, t: number): Prepared {
    checkMark(`${this.#where}: the mask of step ${t}`, mask, [batch ?? mask.size]);
    if (isTracing()) return { mask, first: firstOf(mask) };
    const values = mask.toTypedArray();
    const first = values.indexOf(1);
    if (first === -1) return { mask, isEmpty: true };
    if (!this.#options.isUniform && !values.includes(0)) return { mask };
    const isFirst = Int32Array.from(values, (_, row) => (row === first ? 1 : 0));
    return { mask, first: tensor(isFirst, this.#place) };
  }
}
