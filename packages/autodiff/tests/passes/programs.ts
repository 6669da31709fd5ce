import fc from "fast-check";
import { type Mark, Tape, type Tensor, tensor } from "../../src/index.ts";

/** A two by two matrix, row by row. */
export type Matrix = readonly number[];

const each = (f: (i: number) => number): Matrix => [0, 1, 2, 3].map(f);
const product = (a: Matrix, b: Matrix): Matrix =>
  each((i) => a[i - (i % 2)]! * b[i % 2]! + a[i - (i % 2) + 1]! * b[2 + (i % 2)]!);

/**
 * What a program may do with two of its values: on tensors, on plain numbers, and the differential
 * by its definition.
 */
interface Step {
  run(a: Tensor, b: Tensor): Tensor;
  value(a: Matrix, b: Matrix): Matrix;
  /**
   * The differential where a and b differ by da and db; `undefined` where nothing flows through.
   */
  differential(a: Matrix, b: Matrix, da: Matrix, db: Matrix): Matrix | undefined;
  /** Whether the second value is used at all. */
  readonly isUnary?: true;
}

const steps = {
  add: {
    run: (a, b) => a.add(b),
    value: (a, b) => each((i) => a[i]! + b[i]!),
    differential: (_a, _b, da, db) => each((i) => da[i]! + db[i]!),
  },
  sub: {
    run: (a, b) => a.sub(b),
    value: (a, b) => each((i) => a[i]! - b[i]!),
    differential: (_a, _b, da, db) => each((i) => da[i]! - db[i]!),
  },
  mul: {
    run: (a, b) => a.mul(b),
    value: (a, b) => each((i) => a[i]! * b[i]!),
    differential: (a, b, da, db) => each((i) => da[i]! * b[i]! + a[i]! * db[i]!),
  },
  matmul: {
    run: (a, b) => a.matmul(b),
    value: product,
    differential: (a, b, da, db) => {
      const [left, right] = [product(da, b), product(a, db)];
      return each((i) => left[i]! + right[i]!);
    },
  },
  /** `a` with the first row of `b` added to both rows. */
  addRow: {
    run: (a, b) => a.add(b.slice([[0, 1]])),
    value: (a, b) => each((i) => a[i]! + b[i % 2]!),
    differential: (_a, _b, da, db) => each((i) => da[i]! + db[i % 2]!),
  },
  sin: {
    isUnary: true,
    run: (a) => a.sin(),
    value: (a) => a.map(Math.sin),
    differential: (a, _b, da) => each((i) => Math.cos(a[i]!) * da[i]!),
  },
  half: {
    isUnary: true,
    run: (a) => a.mul(0.5),
    value: (a) => a.map((x) => x / 2),
    differential: (_a, _b, da) => da.map((x) => x / 2),
  },
  flat: {
    isUnary: true,
    run: (a) => a.reshape([4]).reshape([2, 2]),
    value: (a) => a,
    differential: (_a, _b, da) => da,
  },
  positive: {
    isUnary: true,
    run: (a) => a.greater(0),
    value: (a) => a.map((x) => (x > 0 ? 1 : 0)),
    differential: () => undefined,
  },
} satisfies Record<string, Step>;

/**
 * Leaves and then steps, each of an op and two earlier values (taken modulo how many there are).
 */
export interface Program {
  readonly leaves: readonly Matrix[];
  readonly steps: readonly {
    readonly op: keyof typeof steps;
    readonly a: number;
    readonly b: number;
  }[];
}

const matrices = fc.tuple(
  ...[0, 1, 2, 3].map(() => fc.integer({ min: -8, max: 8 }).map((n) => n / 8)),
);
export const directions: fc.Arbitrary<Matrix> = matrices;
export const programs: fc.Arbitrary<Program> = fc.record({
  leaves: fc.array(matrices, { minLength: 1, maxLength: 3 }),
  steps: fc.array(
    fc.record({
      op: fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])),
      a: fc.nat(20),
      b: fc.nat(20),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

export const matrix = (values: Matrix): Tensor =>
  tensor([...values], { shape: [2, 2], dtype: "float64" });

/** A program as it was recorded: every value, leaves first, and a mark before each step. */
export interface Recorded {
  readonly tape: Tape;
  readonly values: readonly Tensor[];
  readonly marks: readonly Mark[];
}

/** Runs a program on a tape, from its leaves or others. */
export function record(
  program: Program,
  tape: Tape = new Tape(),
  leaves: readonly Tensor[] = program.leaves.map(matrix),
): Recorded {
  const values: Tensor[] = leaves.map((leaf) => tape.watch(leaf));
  const marks: Mark[] = [];
  for (const { op, a, b } of program.steps) {
    marks.push(tape.mark(values));
    const n = values.length;
    values.push((steps[op] as Step).run(values[a % n]!, values[b % n]!));
  }
  return { tape, values, marks };
}

/** The values of a program, in plain numbers, some of them replaced by others. */
export function evaluate(
  program: Program,
  instead: ReadonlyMap<number, Matrix> = new Map(),
): Matrix[] {
  const values: Matrix[] = program.leaves.map((leaf, i) => instead.get(i) ?? leaf);
  for (const { op, a, b } of program.steps) {
    const n = values.length;
    values.push(instead.get(n) ?? steps[op].value(values[a % n]!, values[b % n]!));
  }
  return values;
}

/**
 * How every value changes where some change by the given differentials: by the chain rule, in plain
 * numbers. Leaves and values before step `since` stay as they are unless given; `undefined` where
 * no change arrives.
 */
export function differentials(
  program: Program,
  given: ReadonlyMap<number, Matrix>,
  since = 0,
): (Matrix | undefined)[] {
  const values = evaluate(program);
  const count = program.leaves.length;
  const result: (Matrix | undefined)[] = program.leaves.map((_, i) => given.get(i));
  for (const [i, { op, a, b }] of program.steps.entries()) {
    const n = count + i;
    const [x, y] = [a % n, b % n];
    const { isUnary, differential } = steps[op] as Step;
    const [dx, dy] = [result[x], isUnary === true ? undefined : result[y]];
    const zero = each(() => 0);
    const arrives = i >= since && (dx !== undefined || dy !== undefined);
    const through = arrives
      ? differential(values[x]!, values[y]!, dx ?? zero, dy ?? zero)
      : undefined;
    const own = given.get(n);
    result.push(
      own === undefined || through === undefined
        ? (own ?? through)
        : each((k) => own[k]! + through[k]!),
    );
  }
  return result;
}

export function inner(a: Matrix, b: Matrix): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

export const numbers = (x: Tensor): number[] => [...x.toTypedArray()];
