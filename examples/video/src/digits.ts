import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** Grey images of as many rows as columns, one after another. */
export interface Images {
  readonly side: number;
  /** From 0 to 1. */
  readonly pixels: Float32Array;
}

/** Images for training, and others that are held out. */
export interface Split {
  readonly training: Images;
  readonly heldOut: Images;
}

/** Images half as high and wide: each pixel is the mean of four. */
export function halved({ side, pixels }: Images): Images {
  const half = side / 2;
  const means = new Float32Array(pixels.length / 4);
  for (let i = 0; i < pixels.length; i++) {
    const [row, col] = [Math.floor(i / side), i % side];
    means[(row >> 1) * half + (col >> 1)]! += pixels[i]! / 4;
  }
  return { side: half, pixels: means };
}

/** The 10,000 digits of the package `mnist`, 14 x 14: of each class every fifth is held out. */
export function mnistDigits(): Split {
  const { resolve } = createRequire(import.meta.url);
  const parts: [training: number[], heldOut: number[]] = [[], []];
  for (let digit = 0; digit < 10; digit++) {
    const file = resolve(`mnist/src/digits/${digit}.json`);
    const { data } = JSON.parse(readFileSync(file, "utf8")) as { data: number[] };
    for (let at = 0; at < data.length; at += 28 ** 2) {
      const part = (at / 28 ** 2) % 5 === 4 ? parts[1] : parts[0];
      part.push(...data.slice(at, at + 28 ** 2));
    }
  }
  const [training, heldOut] = parts.map((part) =>
    halved({ side: 28, pixels: Float32Array.from(part) }),
  ) as [Images, Images];
  return { training, heldOut };
}

/** Stand-ins for digits, where no data are to be read: rings of several sizes, and bars. */
export function shapes(): Split {
  const side = 14;
  const image = (at: (x: number, y: number) => boolean) =>
    Array.from({ length: side ** 2 }, (_, i) =>
      Number(at((i % side) - side / 2 + 0.5, Math.floor(i / side) - side / 2 + 0.5)),
    );
  const of = (sizes: readonly number[]): Images => {
    const all = sizes.flatMap((r) => [
      image((x, y) => Math.abs(Math.hypot(x, y) - r) < 1),
      image((x, y) => Math.abs(x) < 1.5 && Math.abs(y) < r),
    ]);
    return { side, pixels: Float32Array.from(all.flat()) };
  };
  return { training: of([3, 4, 5]), heldOut: of([3.5, 4.5]) };
}
