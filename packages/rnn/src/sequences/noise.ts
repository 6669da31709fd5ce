import { type MapTree, type Shape, Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import type { ValuesLike } from "./like.ts";

/** Random numbers that a step reads: the loops draw them, so that the step stays pure. */
export interface Noise {
  /** The shape, of one row where `rows` is true. */
  readonly shape: Shape;
  /**
   * How often it is drawn: once for each window of a stream (for each call of `unroll`), or once
   * for each step. It is a constant for every gradient.
   */
  readonly per: "window" | "step";
  /** Whether every row of the batch has its own: the value has a leading axis B then. */
  readonly rows: boolean;
  /** The elements of `shape`, once for each row, in row-major order. */
  draw(rng: Rng): Float64Array;
}

/** A tree of noise as the tree of tensors that a step receives. */
export type NoiseValues<Spec> = MapTree<Spec, Tensor, Noise>;

function isNoise(value: unknown): value is Noise {
  return typeof (value as Noise | null)?.draw === "function" && "per" in (value as Noise);
}

/** What a cell draws. */
export function noiseOf({ noise }: { readonly noise?: unknown }): readonly Noise[] {
  return tree.leavesWithPath(noise, isNoise).map(([, leaf]) => leaf);
}

/**
 * Draws the noise of one step, in the order of the tree; what is drawn once per window is taken
 * from `before`, the noise of the step before in the same window.
 */
export function drawNoise(
  spec: unknown,
  random: Rng,
  batch: number,
  like: ValuesLike,
  before: unknown,
): unknown {
  const kept = new Map(tree.leavesWithPath(before));
  return tree.map(
    spec,
    (noise: Noise, path) => {
      const old = noise.per === "window" ? kept.get(path) : undefined;
      if (old !== undefined) return old;
      const shape = noise.rows ? [batch, ...noise.shape] : noise.shape;
      const values = new Float64Array(shape.reduce((a, b) => a * b, 1));
      const row = noise.rows ? values.length / batch : values.length;
      for (let at = 0; at < values.length; at += row) values.set(noise.draw(random), at);
      return tensor(values, { ...like, shape });
    },
    isNoise,
  );
}

/** The generator that a loop must be given where its model draws noise. */
export function checkRng(where: string, model: object, random: Rng | null | undefined): void {
  if (random === undefined && noiseOf(model).length > 0) {
    throw new TypeError(
      `${where}: the model draws noise, such as masks of dropout, and there is no generator; give { rng: rng(1, "noise") } to train, or { rng: null } to evaluate without noise`,
    );
  }
  if (random != null && typeof (random as Partial<Rng>).bits !== "function") {
    throw new TypeError(
      `${where}: rng must be a generator, as rng(1) gives, or null, got ${random instanceof Tensor ? "a tensor" : typeof random}`,
    );
  }
}
