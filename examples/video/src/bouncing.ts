import { type Tensor, tensor } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import type { Digits } from "./digits.ts";

/** What sequences of bouncing digits are like. */
export interface Bouncing {
  /** Rows and columns of a frame. */
  readonly size: number;
  /** Digits in a sequence. */
  readonly count: number;
  /** Pixels that a digit moves from frame to frame. */
  readonly speed: number;
  /** Frames of a sequence. */
  readonly steps: number;
}

/**
 * Where a digit is that moves evenly between 0 and `room`, and is reflected at both ends.
 *
 * @param way how far it has come from 0, counted without reflection
 */
export function reflected(way: number, room: number): number {
  const turn = ((way % (2 * room)) + 2 * room) % (2 * room);
  return Math.min(turn, 2 * room - turn);
}

/**
 * Sequences in which digits move in straight lines, each in a direction of its own, and bounce off
 * the edges (Srivastava et al. 2015). Where digits overlap, the brighter pixel is seen.
 *
 * @returns frames `[T, B, size, size]` of numbers from 0 to 1
 */
export function bouncing(random: Rng, digits: Digits, rows: number, how: Bouncing): Tensor {
  const { size, count, speed, steps } = how;
  const { side, pixels } = digits;
  const room = size - side;
  const frames = new Float32Array(steps * rows * size ** 2);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < count; k++) {
      const image = pixels[random.integer(0, pixels.length)]!;
      const [x, y] = [random.uniform() * room, random.uniform() * room];
      const angle = random.uniform() * 2 * Math.PI;
      for (let t = 0; t < steps; t++) {
        const left = Math.round(reflected(x + t * speed * Math.cos(angle), room));
        const top = Math.round(reflected(y + t * speed * Math.sin(angle), room));
        const corner = ((t * rows + row) * size + top) * size + left;
        for (let i = 0; i < side ** 2; i++) {
          const at = corner + Math.floor(i / side) * size + (i % side);
          frames[at] = Math.max(frames[at]!, image[i]!);
        }
      }
    }
  }
  return tensor(frames, { shape: [steps, rows, size, size] });
}
