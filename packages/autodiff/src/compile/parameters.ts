import type { Kind } from "../kernels/signature.ts";
import type { Pointer } from "./call.ts";
import type { Access } from "./lanewise.ts";
import type { Instruction, Stride } from "./loop.ts";

/** An address that a loop gets. */
export interface Parameter extends Pointer {
  readonly kind: Kind;
}

type Moving = Exclude<Instruction, { does: "compute" }>;

/** The addresses of a loop: accesses to columns of the same rows share one. */
export class Parameters {
  readonly #cols: number;
  readonly #size: number;
  readonly #all: { access: Access; from: number; kinds: Set<Kind> }[] = [];

  constructor(cols: number, size: number) {
    this.#cols = cols;
    this.#size = size;
  }

  /** Which address serves an access, and the offset in its buffer. */
  of(access: Access, kind: Kind): { parameter: number; offset: number } {
    const { buffer, offset, row, col } = access;
    const near = (row > 0 ? row : 8 * this.#cols) * this.#size;
    let parameter = this.#all.findIndex(
      ({ access: other, from }) =>
        other.buffer === buffer &&
        other.row === row &&
        other.col === col &&
        Math.abs(other.offset - offset) < near &&
        Math.abs(from - offset) < near,
    );
    if (parameter < 0) {
      parameter = this.#all.push({ access, from: offset, kinds: new Set() }) - 1;
    }
    const found = this.#all[parameter]!;
    found.from = Math.min(found.from, offset);
    found.kinds.add(kind);
    return { parameter, offset };
  }

  /** The addresses, and instructions relative to them. */
  settled(): { list: Parameter[]; strides: Stride[]; move: (one: Moving) => Moving } {
    const list = this.#all.map(({ access: { buffer }, from, kinds }): Parameter => {
      return { buffer, offset: from, kind: kinds.size > 1 ? "inout" : [...kinds][0]! };
    });
    const strides = this.#all.map(({ access: { row, col } }) => {
      return { rowBytes: row * this.#size, col };
    });
    const move = (one: Moving): Moving => {
      return { ...one, offset: one.offset - this.#all[one.parameter]!.from };
    };
    return { list, strides, move };
  }
}
