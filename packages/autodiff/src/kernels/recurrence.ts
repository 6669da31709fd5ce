import type { Memory } from "./memory.ts";
import type { KernelsOf } from "./signature.ts";

/**
 * The linear recurrence over contiguous `[length, rows, cols]`, from the last step to the first
 * when `reverse` is 1. When `complex` is 1, a row is `cols` real parts and `cols` imaginary parts
 * behind them. A product by a coefficient of exactly 0 is 0, also that of NaN. The cotangent of
 * `h_t` is `l_t = g_t + conj(a_{t+1}) l_{t+1}`, where `t + 1` comes after `t` in the recurrence.
 */
export const recurrenceSignatures = {
  /** `h_t = a_t h_{t-1} + b_t` from `initial [rows, cols]`. */
  linearRecurrence: "length rows cols reverse complex a:in b:in initial:in y:out",
  /** `da_t = l_t conj(h_{t-1})`, whatever `a_t` is. */
  linearRecurrenceVjpA: "length rows cols reverse complex a:in initial:in h:in g:in da:out",
  /** `db_t = l_t`. */
  linearRecurrenceVjpB: "length rows cols reverse complex a:in g:in db:out",
  /** `dinitial = conj(a_1) l_1`; `length` is at least 1. */
  linearRecurrenceVjpInitial: "length rows cols reverse complex a:in g:in dinitial:out",
} as const;
export type RecurrenceKernels = KernelsOf<typeof recurrenceSignatures>;

/** A real number, or real and imaginary part. */
type Value = readonly number[];

const times = ([a, b]: Value, [c, d]: Value): Value =>
  b === undefined ? [a! * c!] : [a! * c! - b * d!, a! * d! + b * c!];
const plus = (a: Value, b: Value): Value => a.map((part, i) => part + b[i]!);
const conj = (a: Value): Value => a.map((part, i) => (i === 0 ? part : -part));
const carried = (a: Value, h: Value): Value =>
  a.every((part) => part === 0) ? a.map(() => 0) : times(a, h);

/** The values of one place in a row, at a step of the recurrence. */
interface Place {
  /** The steps in the order of the recurrence. */
  readonly steps: readonly number[];
  read(pointer: number, step?: number): Value;
  write(pointer: number, step: number, value: Value): void;
}

/** The recurrence in float64 arithmetic, each state rounded once when stored. */
export function referenceRecurrence(
  memory: Memory,
  dtype: "float32" | "float64",
): RecurrenceKernels {
  const size = dtype === "float32" ? 4 : 8;
  function* places(
    length: number,
    rows: number,
    cols: number,
    reverse: number,
    complex: number,
  ): Generator<Place> {
    const view = memory.views[dtype];
    const steps = Array.from({ length }, (_, t) => (reverse === 1 ? length - 1 - t : t));
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < cols; c++) {
        const partsOf = (pointer: number, step: number): number[] => {
          const re = pointer / size + (step * rows + r) * (1 + complex) * cols + c;
          return complex === 1 ? [re, re + cols] : [re];
        };
        yield {
          steps,
          read: (pointer, step = 0) => partsOf(pointer, step).map((i) => view[i]!),
          write: (pointer, step, value) => {
            for (const [k, i] of partsOf(pointer, step).entries()) view[i] = value[k]!;
          },
        };
      }
    }
  }
  /** Writes the cotangents of the states at one place, from the last on, and returns the first. */
  const cotangents = ({ steps, read, write }: Place, a: number, g: number, y: number): Value => {
    let value: Value = [];
    for (const [i, step] of steps.toReversed().entries()) {
      const later = steps[steps.length - i];
      value = read(g, step);
      if (later !== undefined) value = plus(value, carried(conj(read(a, later)), read(y, later)));
      write(y, step, value);
    }
    return value;
  };
  return {
    linearRecurrence(length, rows, cols, reverse, complex, a, b, initial, y) {
      for (const { steps, read, write } of places(length, rows, cols, reverse, complex)) {
        let h = read(initial);
        for (const step of steps) {
          write(y, step, plus(carried(read(a, step), h), read(b, step)));
          h = read(y, step);
        }
      }
    },
    linearRecurrenceVjpA(length, rows, cols, reverse, complex, a, initial, h, g, da) {
      for (const place of places(length, rows, cols, reverse, complex)) {
        cotangents(place, a, g, da);
        const { steps, read, write } = place;
        for (const [i, step] of steps.entries()) {
          const before = i === 0 ? read(initial) : read(h, steps[i - 1]);
          write(da, step, times(read(da, step), conj(before)));
        }
      }
    },
    linearRecurrenceVjpB(length, rows, cols, reverse, complex, a, g, db) {
      for (const place of places(length, rows, cols, reverse, complex)) cotangents(place, a, g, db);
    },
    linearRecurrenceVjpInitial(length, rows, cols, reverse, complex, a, g, dinitial) {
      for (const { steps, read, write } of places(length, rows, cols, reverse, complex)) {
        write(
          dinitial,
          0,
          read(g, steps.at(-1)!).map(() => 0),
        );
        for (const step of steps.toReversed()) {
          write(dinitial, 0, carried(conj(read(a, step)), plus(read(g, step), read(dinitial))));
        }
      }
    },
  };
}
