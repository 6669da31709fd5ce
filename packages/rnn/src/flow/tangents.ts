import { scope, tensor } from "@chronograd/autodiff";

import type { Growth } from "./batchMeans.ts";
import { checkFiniteProducts } from "./checks.ts";
import { directionDraws, fillOrthonormal, orthonormalise, type VectorSet } from "./orthonormal.ts";
import type { RowCourse } from "./rowCourse.ts";
import type { Step } from "./rowSpectra.ts";

/** K directions of one row, and how they grew. */
interface TangentRow {
  /** Its own draws, so that it has the directions that it would have alone. */
  readonly normal: () => number;
  readonly vectors: VectorSet;
  readonly growths: Growth[];
  /** Logarithms of the growth since the last one that was noted. */
  logs: Float64Array;
  /** Steps since the row began, up to then. */
  age: number;
  /** Steps since then. */
  pending: number;
}

/** How `Tangents` are carried. */
interface TangentOptions {
  readonly count: number;
  readonly warmUp: number;
  readonly every: number;
}

/** K orthonormal directions `[K, B, H]` that are carried along trajectories, and their growth. */
export class Tangents {
  readonly #where: string;
  readonly #options: TangentOptions;
  readonly #values: Float64Array;
  readonly #rows: readonly TangentRow[];

  constructor(where: string, rows: number, size: number, options: TangentOptions) {
    const { count } = options;
    this.#where = where;
    this.#options = options;
    this.#values = new Float64Array(count * rows * size);
    this.#rows = Array.from({ length: rows }, (_, row) => {
      const set = { values: this.#values, offset: row * size, stride: rows * size, count, size };
      return {
        normal: directionDraws(),
        vectors: set,
        growths: [],
        logs: new Float64Array(count),
        age: 0,
        pending: 0,
      };
    });
    for (const row of this.#rows) this.#begin(row);
  }

  /** The growths that were counted, row by row. */
  get growths(): readonly (readonly Growth[])[] {
    return this.#rows.map(({ growths }) => growths);
  }

  /** Carries the directions over step `t`. */
  step(t: number, transition: Step, courses: readonly RowCourse[]): void {
    if (courses.includes("step")) this.#push(t, transition, courses);
    for (const [i, row] of this.#rows.entries()) {
      if (courses[i] === "reset") this.#begin(row);
      if (courses[i] === "step") this.#decompose(row, t);
    }
  }

  /** Directions of a row that has lived for no step. */
  #begin(row: TangentRow): void {
    fillOrthonormal(row.vectors, row.normal);
    row.logs = new Float64Array(this.#options.count);
    row.age = 0;
    row.pending = 0;
  }

  #push(t: number, transition: Step, courses: readonly RowCourse[]): void {
    const { rows: B, size: H } = transition;
    const pushed = scope(() => {
      const { dtype, backend } = transition.before;
      const shape = [this.#options.count, B, H];
      return transition.push(tensor(this.#values, { shape, dtype, backend })).toTypedArray();
    });
    checkFiniteProducts(this.#where, t, pushed);
    for (let i = 0; i < pushed.length; i++) {
      if (courses[Math.floor(i / H) % B] === "step") this.#values[i] = pushed[i]!;
    }
  }

  /**
   * At every step: directions that are pushed through several steps vanish, overflow, or turn to
   * the first until rounding alone tells them apart.
   */
  #decompose(row: TangentRow, t: number): void {
    for (const [k, growth] of orthonormalise(row.vectors, row.normal).entries()) {
      row.logs[k]! += Math.log(growth);
    }
    if (++row.pending < this.#options.every) return;
    if (row.age >= this.#options.warmUp)
      row.growths.push({ t, steps: row.pending, logs: row.logs });
    row.logs = new Float64Array(row.logs.length);
    row.age += row.pending;
    row.pending = 0;
  }
}
