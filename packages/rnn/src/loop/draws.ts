import { type Tensor, tree } from "@chronograd/autodiff";
import { Region } from "@chronograd/autodiff/internal";
import { type Rng, type RngState, rngFrom } from "@chronograd/nn";
import type { ValueOptions } from "../initial.ts";
import { drawNoise, hasNoise, isNoise, type Noise } from "../sequences/noise.ts";

/** Where draws are between two steps. */
export interface DrawPosition {
  readonly rng: RngState;
  /** The noise of the step before; what is drawn once for all steps is taken from it. */
  readonly noise: unknown;
}

/** Draws the noise of steps in the order of time, and again from any place. */
export class Draws {
  #spec: unknown;
  readonly #batch: number;
  readonly #like: ValueOptions;
  /** Holds what is drawn once for all steps. */
  readonly #shared = new Region();
  readonly #first = new Map<string, Tensor>();
  #rng: Rng | undefined;
  #noise: unknown;

  /** @param rng the caller's, which the first draws come from */
  constructor(
    model: { readonly noise?: unknown },
    rng: Rng | null | undefined,
    batch: number,
    like: ValueOptions,
  ) {
    this.#spec = model.noise;
    this.#rng = rng != null && hasNoise(model) ? rng : undefined;
    this.#batch = batch;
    this.#like = like;
  }

  /** The noise of the next steps; `undefined` where nothing is drawn. */
  next(steps: number): readonly unknown[] | undefined {
    const random = this.#rng;
    if (random === undefined) return undefined;
    return Array.from({ length: steps }, () => {
      const isFirst = this.#noise === undefined;
      const noise = drawNoise(this.#spec, random, this.#batch, this.#like, this.#noise);
      this.#noise = isFirst ? this.#withFirst(noise) : noise;
      return this.#noise;
    });
  }

  /**
   * Noise with what is drawn once for all steps: as it was drawn when it was for the first time.
   */
  #withFirst(noise: unknown): unknown {
    const drawn = new Map(tree.leavesWithPath<Tensor>(noise));
    return tree.map(
      this.#spec,
      ({ per }: Noise, path) => {
        const own = drawn.get(path)!;
        if (per !== "window") return own;
        const first = this.#first.get(path) ?? own;
        if (first === own) this.#shared.hold(own.block);
        this.#first.set(path, first);
        return first;
      },
      isNoise,
    );
  }

  get position(): DrawPosition | undefined {
    return this.#rng && { rng: this.#rng.getState(), noise: this.#noise };
  }

  /** Goes on from a position, with a generator of its own. */
  restore(position: DrawPosition | undefined): void {
    if (position === undefined) return;
    this.#rng = rngFrom(position.rng);
    this.#noise = position.noise;
  }

  /** Draws from a position on, that leave these as they are. */
  from(position: DrawPosition | undefined): Draws {
    const others = new Draws({}, undefined, this.#batch, this.#like);
    others.#spec = this.#spec;
    others.restore(position);
    return others;
  }

  end(reason: string): void {
    this.#shared.end(reason);
  }
}
