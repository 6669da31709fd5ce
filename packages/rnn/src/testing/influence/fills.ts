import { type Tensor, type TypedArray, tensor } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import { largest } from "../tally.ts";
import type { Change } from "./changes.ts";
import type { Part } from "./grid.ts";

/** What stands in the place of values that must not matter. */
export interface Fill {
  /** In words, after "when": `"NaN stands there"`; empty for ordinary values. */
  readonly words: string;
  /** Draws another value of an element `x`, given those of the whole tensor. */
  draw(all: ArrayLike<number>, random: Rng): (x: number) => number;
}

const pick = (all: ArrayLike<number>, random: Rng) => all[random.integer(0, all.length)]!;

/** Values like those of the batch: in their domain, and finite. */
export const ordinary: Fill = {
  words: "",
  draw(all, random) {
    const known = Array.from(all).filter((x) => Number.isFinite(x) && x !== 0);
    return () => (known.length > 0 ? pick(known, random) : 1) * (0.5 + random.uniform());
  },
};

/** Values as they are, unless they are NaN or infinite. */
export const finite: Fill = {
  words: "",
  draw(all, random) {
    const other = ordinary.draw(all, random);
    return (x) => (Number.isFinite(x) ? x : other(x));
  },
};

/** Numbers beyond all of the batch, of both signs. */
export const large: Fill = {
  words: "large numbers stand there",
  draw(all, random) {
    const size = 1 + largest(all);
    return () => size * (2 + random.uniform()) * (random.uniform() < 0.5 ? -1 : 1);
  },
};
export const notANumber: Fill = { words: "NaN stands there", draw: () => () => Number.NaN };
export const infinite: Fill = {
  words: "infinities stand there",
  draw: (_, random) => () => (random.uniform() < 0.5 ? -Infinity : Infinity),
};

/** Random numbers of a check, drawn once for each of its tensors. */
export class Draws {
  readonly #seed: number;
  readonly #drawn = new Map<string, TypedArray>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** What `draw` gives for a name, the same each time. */
  of(name: string, draw: (random: Rng) => TypedArray): TypedArray {
    const known = this.#drawn.get(name) ?? draw(rng(this.#seed, name));
    this.#drawn.set(name, known);
    return known;
  }
}

/** The tensor with the places of a change filled: part of a change has the values of the whole. */
export function filled(
  { path, x, places }: Part,
  change: Change,
  fill: Fill,
  draws: Draws,
): Tensor {
  const changing = places.filter(({ step, row }) => change.has(step, row));
  if (changing.length === 0) return x;
  const values = x.toTypedArray();
  const others = draws.of(`fill ${path} ${fill.words}`, (random) => {
    // Whole numbers may be indices: others of the batch stand for them.
    const draw = x.dtype === "int32" ? () => pick(values, random) : fill.draw(values, random);
    return values.map((value) => draw(value));
  });
  for (const { start, end } of changing) values.set(others.subarray(start, end), start);
  return tensor(values, { shape: x.shape, dtype: x.dtype, backend: x.backend });
}
