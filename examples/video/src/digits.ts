import { halved, type Images, mnistDigits } from "../../mnist.ts";

/** What bounces: images, whatever their classes are. */
export type Digits = Omit<Images, "classes">;

/** What bounces in the training, and what in the evaluation. */
export interface DigitSplit {
  readonly training: Digits;
  readonly heldOut: Digits;
}

/** The digits of the package `mnist`, 14 x 14. */
export function smallDigits(): DigitSplit {
  const { training, heldOut } = mnistDigits(import.meta.url);
  return { training: halved(training), heldOut: halved(heldOut) };
}

/** Stand-ins for digits, where no data are to be read: rings of several sizes, and bars. */
export function shapes(): DigitSplit {
  const side = 14;
  const image = (at: (x: number, y: number) => boolean) =>
    Float32Array.from({ length: side ** 2 }, (_, i) =>
      Number(at((i % side) - side / 2 + 0.5, Math.floor(i / side) - side / 2 + 0.5)),
    );
  const of = (sizes: readonly number[]): Digits => ({
    side,
    pixels: sizes.flatMap((r) => [
      image((x, y) => Math.abs(Math.hypot(x, y) - r) < 1),
      image((x, y) => Math.abs(x) < 1.5 && Math.abs(y) < r),
    ]),
  });
  return { training: of([3, 4, 5]), heldOut: of([3.5, 4.5]) };
}
