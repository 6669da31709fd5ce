import type { GateKernels } from "../gates.ts";
import type { Memory } from "../memory.ts";
import { sigmoid } from "./elementwise.ts";

/** One element's gates, by their block. */
type Gates = (block: number) => number;

/** Gates of recurrent cells in float64 arithmetic, rounded once when stored. */
export function gates(memory: Memory, dtype: "float32" | "float64"): GateKernels {
  const size = dtype === "float32" ? 4 : 8;
  const at = (pointer: number, index: number): number =>
    memory.views[dtype][pointer / size + index]!;

  /**
   * Writes, or adds, `blocks` values for each row and column; `undefined` is a zero. `f` gets the index of an element of
   * a `[rows, hidden]` matrix and a reader of the blocks of a matrix of `inputs` blocks.
   */
  const each = (
    [rows, hidden, inputs]: readonly [rows: number, hidden: number, inputs: number],
    y: number,
    accumulate: number,
    f: (read: (pointer: number) => Gates, index: number, column: number) => (number | undefined)[],
  ): void => {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < hidden; c++) {
        const read = (pointer: number) => (block: number) =>
          at(pointer, (r * inputs + block) * hidden + c);
        const values = f(read, r * hidden + c, c);
        values.forEach((value, block) => {
          const index = (r * values.length + block) * hidden + c;
          if (accumulate === 1 && value === undefined) return;
          const stored = accumulate === 1 ? at(y, index) + value! : (value ?? 0);
          memory.views[dtype][y / size + index] = stored;
        });
      }
    }
  };

  return {
    lstmGates(rows, hidden, x, y) {
      each([rows, hidden, 4], y, 0, (read) => {
        const a = read(x);
        return [sigmoid(a(0)), sigmoid(a(1)), Math.tanh(a(2)), sigmoid(a(3))];
      });
    },
    lstmGatesVjp(rows, hidden, y, g, accumulate, dx) {
      each([rows, hidden, 4], dx, accumulate, (read) => {
        const [a, d] = [read(y), read(g)];
        return [0, 1, 2, 3].map((k) => d(k) * (k === 2 ? 1 - a(k) ** 2 : a(k) - a(k) ** 2));
      });
    },
    lstmCellState(rows, hidden, gates, c, y) {
      each([rows, hidden, 4], y, 0, (read, index) => {
        const a = read(gates);
        return [a(1) * at(c, index) + a(0) * a(2)];
      });
    },
    lstmCellStateVjpGates(rows, hidden, gates, c, g, accumulate, dx) {
      each([rows, hidden, 4], dx, accumulate, (read, index) => {
        const [a, d] = [read(gates), at(g, index)];
        return [d * a(2), d * at(c, index), d * a(0), undefined];
      });
    },
    lstmCellStateVjpC(rows, hidden, gates, g, accumulate, dc) {
      each([rows, hidden, 4], dc, accumulate, (read, index) => [at(g, index) * read(gates)(1)]);
    },
    lstmOutput(rows, hidden, gates, c, y) {
      each([rows, hidden, 4], y, 0, (read, index) => [read(gates)(3) * Math.tanh(at(c, index))]);
    },
    lstmOutputVjpGates(rows, hidden, _gates, c, _y, g, accumulate, dx) {
      each([rows, hidden, 4], dx, accumulate, (_read, index) => {
        const product = at(g, index) * Math.tanh(at(c, index));
        return [undefined, undefined, undefined, product];
      });
    },
    lstmOutputVjpC(rows, hidden, gates, c, _y, g, accumulate, dc) {
      each([rows, hidden, 4], dc, accumulate, (read, index) => {
        return [at(g, index) * read(gates)(3) * (1 - Math.tanh(at(c, index)) ** 2)];
      });
    },
    gruGates(rows, hidden, x, h, bias, y) {
      each([rows, hidden, 3], y, 0, (read, _index, column) => {
        const [a, b] = [read(x), read(h)];
        const r = sigmoid(a(0) + b(0));
        const n = Math.tanh(a(2) + r * (b(2) + at(bias, column)));
        return [r, sigmoid(a(1) + b(1)), n];
      });
    },
    gruGatesVjp(rows, hidden, y, h, bias, g, recurrent, accumulate, dx) {
      each([rows, hidden, 3], dx, accumulate, (read, _index, column) => {
        const [gate, d] = [read(y), read(g)];
        const [r, z, n] = [gate(0), gate(1), gate(2)];
        const dn = d(2) * (1 - n ** 2);
        const dr = (d(0) + dn * (read(h)(2) + at(bias, column))) * (r - r ** 2);
        return [dr, d(1) * (z - z ** 2), recurrent === 1 ? dn * r : dn];
      });
    },
    gruGatesVjpBias(rows, hidden, y, g, accumulate, db) {
      for (let c = 0; c < hidden; c++) {
        let total = accumulate === 1 ? at(db, c) : 0;
        for (let row = 0; row < rows; row++) {
          const [r, n] = [3 * row * hidden + c, (3 * row + 2) * hidden + c];
          total += at(g, n) * (1 - at(y, n) ** 2) * at(y, r);
        }
        memory.views[dtype][db / size + c] = total;
      }
    },
    gruOutput(rows, hidden, gates, h, y) {
      each([rows, hidden, 3], y, 0, (read, index) => {
        const [, z, n] = [0, 1, 2].map(read(gates));
        return [n! + z! * (at(h, index) - n!)];
      });
    },
    gruOutputVjpGates(rows, hidden, gates, h, g, accumulate, dx) {
      each([rows, hidden, 3], dx, accumulate, (read, index) => {
        const [, z, n] = [0, 1, 2].map(read(gates));
        const d = at(g, index);
        return [undefined, d * (at(h, index) - n!), d - d * z!];
      });
    },
    gruOutputVjpH(rows, hidden, gates, g, accumulate, dh) {
      each([rows, hidden, 3], dh, accumulate, (read, index) => [at(g, index) * read(gates)(1)]);
    },
  };
}
