import { type Tensor, tensor } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import { largest } from "../tally.ts";
import type { Part } from "./cells.ts";
import type { Change } from "./changes.ts";

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

function farOut(sign: number, words: string): Fill {
  return {
    words,
    draw(all, random) {
      const size = sign * (1 + largest(all));
      return () => size * (2 + random.uniform());
    },
  };
}
export const large: Fill = farOut(1, "large numbers stand there");
export const negative: Fill = farOut(-1, "large negative numbers stand there");
export const notANumber: Fill = { words: "NaN stands there", draw: () => () => Number.NaN };
export const infinite: Fill = {
  words: "infinities stand there",
  draw: (_, random) => () => (random.uniform() < 0.5 ? -Infinity : Infinity),
};

/** The tensor with the cells of a change filled; the same each time, by seed and path. */
export function filled(part: Part, change: Change, fill: Fill, seed: number): Tensor {
  const { x, path, cells } = part;
  const before = x.toTypedArray();
  const random = rng(seed, `fill ${path}`);
  const after = before.slice();
  // Whole numbers may be indices: others of the batch stand for them.
  const draw = x.dtype === "int32" ? () => pick(before, random) : fill.draw(before, random);
  for (const { step, row, start, end } of cells) {
    const changes = change.has(step, row);
    // Drawn for every cell, so that part of a change has the values of the whole.
    for (let i = start; i < end; i++) {
      const other = draw(before[i]!);
      if (changes) after[i] = other;
    }
  }
  return tensor(after, { shape: x.shape, dtype: x.dtype, backend: x.backend });
}
