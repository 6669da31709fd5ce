import { type MapTree, type Shape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import { kindOf } from "../findTensor.ts";
import type { ValueOptions } from "../initial.ts";

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

export function isNoise(value: unknown): value is Noise {
  return typeof (value as Noise | null)?.draw === "function";
}

/** Whether there is any noise in what a model lists as such. */
export function hasNoise({ noise }: { readonly noise?: unknown }): boolean {
  return tree.leavesWithPath(noise, isNoise).length > 0;
}

/**
 * Draws the noise of one step, in the order of the tree; what is drawn once per window is taken
 * from `before`, the noise of the step before in the same window.
 */
export function drawNoise(
  spec: unknown,
  random: Rng,
  batch: number,
  like: ValueOptions,
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
      for (let at = 0; at < values.length; at += row) {
        values.set(checkedDraw(noise.draw(random), noise, path, row), at);
      }
      return tensor(values, { ...like, shape });
    },
    isNoise,
  );
}

const nameOfNoise = (path: string): string => (path === "" ? "the noise" : `the noise "${path}"`);

function checkedDraw(drawn: unknown, { shape }: Noise, path: string, size: number): Float64Array {
  if (drawn instanceof Float64Array && drawn.length === size) return drawn;
  const got = drawn instanceof Float64Array ? `${drawn.length} of them` : kindOf(drawn);
  throw new TypeError(
    `${nameOfNoise(path)} has shape [${shape}], so draw must return a Float64Array of ${size} ${size === 1 ? "number" : "numbers"}, got ${got}`,
  );
}

/** Throws a sentence unless a model's noise says its shape, how often and for whom it is drawn. */
function checkNoise(where: string, model: { readonly noise?: unknown }): void {
  for (const [path, { shape, per, rows }] of tree.leavesWithPath(model.noise, isNoise)) {
    const name = `${where}: ${nameOfNoise(path)}`;
    if (!Array.isArray(shape) || shape.some((length) => !Number.isInteger(length) || length < 1)) {
      throw new TypeError(
        `${name} must have a shape, a list of whole numbers of at least 1, got ${Array.isArray(shape) ? `[${shape}]` : kindOf(shape)}`,
      );
    }
    if (per !== "window" && per !== "step") {
      throw new TypeError(
        `${name} must be drawn per "window" or "step", got ${JSON.stringify(per)}`,
      );
    }
    if (typeof rows !== "boolean") {
      throw new TypeError(
        `${name} must say with rows: true or false whether every row of the batch has its own, got ${kindOf(rows)}`,
      );
    }
  }
}

/** The generator that a loop must be given where its model draws noise. */
export function checkRng(where: string, model: object, random: Rng | null | undefined): void {
  if (random === undefined && hasNoise(model)) {
    throw new TypeError(
      `${where}: the model draws noise, such as masks of dropout, and there is no generator; give { rng: rng(1, "noise") } to train, or { rng: null } to evaluate without noise`,
    );
  }
  if (random != null && typeof (random as Partial<Rng>).bits !== "function") {
    throw new TypeError(
      `${where}: rng must be a generator, as rng(1) gives, or null, got ${kindOf(random)}`,
    );
  }
  checkNoise(where, model);
}
