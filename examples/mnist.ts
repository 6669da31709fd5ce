import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

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

/**
 * The 10,000 digits of the package `mnist`, 28 x 28: of each class every fifth is held out.
 *
 * @param from the address of a module of an example that depends on the package
 */
export function mnistDigits(from: string): Split {
  const { resolve } = createRequire(from);
  return splitOf(28, (digit) => {
    const file = resolve(`mnist/src/digits/${digit}.json`);
    return (JSON.parse(readFileSync(file, "utf8")) as { data: number[] }).data;
  });
}

/** Every fifth image of each of ten classes is held out, whose pixels follow one another. */
export function splitOf(side: number, pixelsOf: (digit: number) => readonly number[]): Split {
  const part = () => ({ side, pixels: [] as Float32Array[], classes: [] as number[] });
  const [training, heldOut] = [part(), part()];
  for (let digit = 0; digit < 10; digit++) {
    const data = pixelsOf(digit);
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
