import type { Rng } from "@chronograd/nn";
import { type Split, splitOf } from "../../mnist.ts";

/** Stand-ins of the smoke mode: a bar on noise, which stands further right for higher classes. */
export function bars(random: Rng): Split {
  return splitOf(28, (digit) =>
    Array.from({ length: 30 * 28 ** 2 }, (_, i) => {
      const column = i % 28;
      return (column >> 1 === digit + 2 ? 0.8 : 0) + 0.2 * random.uniform();
    }),
  );
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
