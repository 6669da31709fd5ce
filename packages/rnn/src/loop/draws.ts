import { tree } from "@chronograd/autodiff";
import { Region } from "@chronograd/autodiff/internal";
import { type Rng, type RngState, rngFrom } from "@chronograd/nn";
import type { ValueOptions } from "../initial.ts";
import { drawNoise, hasNoise, isNoise, type Noise } from "../sequences/noise.ts";

/** Where draws are between two steps. */
export interface Drawn {
  readonly rng: RngState;
  /** The noise of the step before; what is drawn once for all steps is taken from it. */
  readonly noise: unknown;
}

/** Draws the noise of steps in the order of time, and again from any place. */
export class Draws {
  readonly #spec: unknown;
  readonly #batch: number;
  readonly #like: ValueOptions;
  /** Holds what is drawn once for all steps. */
  readonly #shared = new Region();
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
      this.#noise = drawNoise(this.#spec, random, this.#batch, this.#like, this.#noise);
      if (isFirst) this.#holdShared();
      return this.#noise;
    });
  }

  #holdShared(): void {
    const drawn = new Map(tree.leavesWithPath(this.#noise));
    for (const [path, { per }] of tree.leavesWithPath<Noise>(this.#spec, isNoise)) {
      if (per === "window") this.#shared.hold(drawn.get(path)!.block);
    }
  }

  get position(): Drawn | undefined {
    return this.#rng && { rng: this.#rng.getState(), noise: this.#noise };
  }

  /** Goes on from a position, with a generator of its own. */
  restore(position: Drawn | undefined): void {
    if (position === undefined) return;
    this.#rng = rngFrom(position.rng);
    this.#noise = position.noise;
  }

  end(reason: string): void {
    this.#shared.end(reason);
  }
}
