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

/** Zeros for gates side by side, but ones for the forget gate: of i, f, g, o unless said. */
export function forgetBias(hidden: number, gates = 4, forget = 1): Initializer {
  const start = forget * hidden;
  return {
    shape: [gates * hidden],
    draw: () => new Float64Array(gates * hidden).fill(1, start, start + hidden),
  };
}
