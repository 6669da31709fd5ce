import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Rng } from "@chronograd/nn";

/** Grey images with their classes. */
export interface Images {
  /** Rows, and columns. */
  readonly side: number;
  /** One array of `side * side` numbers from 0 to 1 for each image, row by row. */
  readonly pixels: readonly Float32Array[];
  readonly classes: readonly number[];
}

/** Images for training, and others that are held out. */
export interface Split {
  readonly training: Images;
  readonly heldOut: Images;
}

/** The 10,000 digits of the package `mnist`: of each class every fifth is held out. */
export function mnistDigits(): Split {
  const { resolve } = createRequire(import.meta.url);
  return splitOf(28, (digit) => {
    const file = resolve(`mnist/src/digits/${digit}.json`);
    return (JSON.parse(readFileSync(file, "utf8")) as { data: number[] }).data;
  });
}

/** Stand-ins of the smoke mode: a bar on noise, which stands further right for higher classes. */
export function bars(random: Rng): Split {
  return splitOf(28, (digit) =>
    Array.from({ length: 30 * 28 ** 2 }, (_, i) => {
      const column = i % 28;
      return (column >> 1 === digit + 2 ? 0.8 : 0) + 0.2 * random.uniform();
    }),
  );
}

function splitOf(side: number, dataOf: (digit: number) => number[]): Split {
  const part = () => ({ side, pixels: [] as Float32Array[], classes: [] as number[] });
  const [training, heldOut] = [part(), part()];
  for (let digit = 0; digit < 10; digit++) {
    const data = dataOf(digit);
    for (let i = 0; (i + 1) * side ** 2 <= data.length; i++) {
      const { pixels, classes } = i % 5 === 4 ? heldOut : training;
      pixels.push(Float32Array.from(data.slice(i * side ** 2, (i + 1) * side ** 2)));
      classes.push(digit);
    }
  }
  return { training, heldOut };
}

/** Images half as high and wide: each pixel is the mean of four. */
export function halved({ side, pixels, classes }: Images): Images {
  const half = side / 2;
  const small = pixels.map((image) => {
    const means = new Float32Array(half ** 2);
    for (const [i, value] of image.entries()) {
      means[(Math.floor(i / side) >> 1) * half + ((i % side) >> 1)]! += value / 4;
    }
    return means;
  });
  return { side: half, pixels: small, classes };
}

/** An image moved by so many pixels down and to the right; what comes in is black. */
export function shifted(image: Float32Array, side: number, down: number, right: number) {
  const moved = new Float32Array(image.length);
  for (let row = Math.max(0, down); row < Math.min(side, side + down); row++) {
    for (let col = Math.max(0, right); col < Math.min(side, side + right); col++) {
      moved[row * side + col] = image[(row - down) * side + col - right]!;
    }
  }
  return moved;
}
