import type { Initializer, Rng } from "@chronograd/nn";

/** Matrices of one shape side by side, one per gate, each drawn as if it stood alone. */
export function gateBlocks(gates: number, block: (gate: number) => Initializer): Initializer {
  const blocks = Array.from({ length: gates }, (_, gate) => block(gate));
  const [rows, columns] = blocks[0]!.shape as [number, number];
  return {
    shape: [rows, gates * columns],
    draw(random: Rng): Float64Array {
      const whole = new Float64Array(rows * gates * columns);
      for (const [gate, part] of blocks.entries()) {
        const drawn = part.draw(random.split(`gate${gate}`));
        for (let row = 0; row < rows; row++) {
          const values = drawn.subarray(row * columns, (row + 1) * columns);
          whole.set(values, row * gates * columns + gate * columns);
        }
      }
      return whole;
    },
  };
}

/** Zeros for the gates i, f, g, o, but ones for f. */
export function forgetBias(hidden: number): Initializer {
  return {
    shape: [4 * hidden],
    draw: () => new Float64Array(4 * hidden).fill(1, hidden, 2 * hidden),
  };
}
