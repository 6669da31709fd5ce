import {
  add,
  compile,
  type DType,
  gather,
  oneHot,
  scatterAdd,
  scope,
  sub,
  type Tensor,
  takeAlongAxis,
  tensor,
  where,
  zeros,
} from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { crossEntropy, embedding, type Rng, rng } from "@chronograd/nn";
import type { Subject } from "./subject.ts";
import { Tally, values } from "./tally.ts";

const least = -(2 ** 31);
const most = 2 ** 31 - 1;

function law(name: string, statement: string, measure: (random: Rng, tally: Tally) => void): Law {
  return {
    name,
    statement,
    bound: 0,
    measure(seed) {
      const tally = new Tally();
      scope(() => measure(rng(seed, name), tally));
      return tally;
    },
  };
}

const wrapped = (x: bigint): number => Number(BigInt.asIntN(32, x));
function larger(a: bigint, b: bigint): bigint {
  return [a, b][Number(b > a)]!;
}
function smaller(a: bigint, b: bigint): bigint {
  return [a, b][Number(b < a)]!;
}
const truth = (holds: boolean): bigint => (holds ? 1n : 0n);

/** Of two int32, by unbounded integers. */
const pairs: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  maximum: larger,
  minimum: smaller,
  // The floor of the quotient: BigInt division truncates.
  mod: (a, b) => (b === 0n ? 0n : ((a % b) + b) % b),
  less: (a, b) => truth(a < b),
  lessEqual: (a, b) => truth(a <= b),
  greater: (a, b) => truth(a > b),
  greaterEqual: (a, b) => truth(a >= b),
  equal: (a, b) => truth(a === b),
  notEqual: (a, b) => truth(a !== b),
  logicalAnd: (a, b) => truth(a !== 0n && b !== 0n),
  logicalOr: (a, b) => truth(a !== 0n || b !== 0n),
  logicalXor: (a, b) => truth((a !== 0n) !== (b !== 0n)),
};

const singles: Readonly<Record<string, (a: bigint) => bigint>> = {
  neg: (a) => -a,
  abs: (a) => (a < 0n ? -a : a),
  logicalNot: (a) => truth(a === 0n),
  isNaN: () => 0n,
  isFinite: () => 1n,
};

const folds: Readonly<Record<string, (a: readonly bigint[]) => bigint>> = {
  sum: (row) => row.reduce((a, b) => a + b, 0n),
  prod: (row) => row.reduce((a, b) => a * b, 1n),
  max: (row) => row.reduce(larger),
  min: (row) => row.reduce(smaller),
  all: (row) => truth(row.every((a) => a !== 0n)),
  any: (row) => truth(row.some((a) => a !== 0n)),
  argmax: (row) => BigInt(row.indexOf(row.reduce(larger))),
  argmin: (row) => BigInt(row.indexOf(row.reduce(smaller))),
};

type Methods = Readonly<Record<string, (...args: unknown[]) => Tensor>>;
const call = (x: Tensor, name: string, ...args: unknown[]): Tensor =>
  (x as unknown as Methods)[name]!(...args);

const arithmetic = law(
  "arithmetic",
  "int32 in, int32 out: what unbounded integers give, wrapped at 2^31; the remainder by 0 is 0",
  (random, tally) => {
    const edges = [0, 1, -1, 2, least, most, 7, -7];
    const draw = (n: number) =>
      Int32Array.from({ length: n }, () =>
        random.uniform() < 0.5 ? edges[random.integer(0, edges.length)]! : random.bits() | 0,
      );
    const [rows, cols] = [3, 5];
    const [a, b] = [draw(rows * cols), draw(cols)];
    const [x, y] = [tensor(a, { shape: [rows, cols] }), tensor(b)];
    const check = (found: Tensor, expected: readonly bigint[], where: string) => {
      tally.check(found.dtype === "int32", () => `${where}: its dtype is ${found.dtype}`);
      tally.list(values(found), expected.map(wrapped), where);
    };
    const big = Array.from(a, BigInt);
    for (const [name, f] of Object.entries(pairs)) {
      check(
        call(x, name, y),
        big.map((left, i) => f(left, BigInt(b[i % cols]!))),
        name,
      );
    }
    for (const [name, f] of Object.entries(singles)) check(call(x, name), big.map(f), name);
    for (const [name, f] of Object.entries(folds)) {
      const row = (r: number) => big.slice(r * cols, (r + 1) * cols);
      check(
        call(x, name, 1),
        Array.from({ length: rows }, (_, r) => f(row(r))),
        `${name} of rows`,
      );
      const column = (c: number) => big.filter((_, i) => i % cols === c);
      check(
        call(x, name, 0),
        Array.from({ length: cols }, (_, c) => f(column(c))),
        `${name} of columns`,
      );
    }
    let running = 0n;
    check(
      x.reshape([-1]).cumsum(),
      big.map((value) => (running += value)),
      "cumsum",
    );
    const sorted = [...big].sort((p, q) => (p < q ? -1 : p > q ? 1 : 0));
    check(x.reshape([-1]).sort(), sorted, "sort");
    check(
      where(x, y, 7),
      big.map((value, i) => (value === 0n ? 7n : BigInt(b[i % cols]!))),
      "where",
    );
    check(
      add(x, 3),
      big.map((value) => value + 3n),
      "add of a number",
    );
    check(
      sub(3, x),
      big.map((value) => 3n - value),
      "sub from a number",
    );
    const program = (p: Tensor, q: Tensor) => ({
      chosen: where(p.mod(3).equal(0), p.mul(q), p.sub(q)).cumsum(1),
      total: p.add(q).maximum(0).sum(),
      picked: q.gather(p.cast("float64").argmax(1)),
    });
    tally.trees(compile(program)(x, y), program(x, y), "compiled,");
    tally.throws(() => x.add(0.5), /^add: 0.5 is no int32/, "add of a fraction");
    tally.throws(() => x.div(y), /^div: .*int32/, "div");
  },
);

/** Positions that no axis has. */
const wrong = [Number.NaN, 0.5, -0.5, Infinity, -Infinity, 2 ** 32, 2 ** 32 + 1, -(2 ** 32)];

const indices = law(
  "indices",
  "an index is whole and in range, below 0 counted from the end where that is said, or refused: in arrays, nested or typed, and tensors",
  (random, tally) => {
    const n = random.integer(1, 5);
    const x = tensor(Float64Array.from({ length: n }, () => random.normal()));
    const elements = values(x);
    const table = x.reshape([n, 1]);
    const g = zeros([1], { dtype: "float64" }).add(1);
    const symbols = embedding({ input: n, output: 1 });
    /** By name: the function, and the least index that it takes. */
    const takers: readonly [string, (index: Tensor | ArrayLike<number>) => unknown, number][] = [
      ["gather", (i) => gather(x, i as Tensor), -n],
      ["gather in a batch", (i) => gather(table, i as Tensor, 0, { batchDims: 0 }), -n],
      ["takeAlongAxis", (i) => takeAlongAxis(x, i as Tensor), -n],
      ["scatterAdd", (i) => scatterAdd(x, i as Tensor, g), -n],
      [
        "crossEntropy",
        (i) => crossEntropy(x.reshape([1, n]), i as Tensor, { reduction: "none" }),
        0,
      ],
      ["embedding", (i) => symbols.apply({ table } as never, i as Tensor), 0],
    ];
    const sources = (index: number): (Tensor | ArrayLike<number>)[] => [
      [index],
      Float64Array.of(index),
    ];
    for (const [name, take, low] of takers) {
      for (const index of [...wrong, low - 1, n, least, most]) {
        for (const source of sources(index)) {
          tally.throws(() => take(source), /^\w+: .*(is no int32|out of range|not one of)/, name);
        }
        if (!Number.isInteger(index) || Math.abs(index) > most) continue;
        const made = tensor(Int32Array.of(index));
        tally.throws(() => take(made), /^\w+: /, `${name}, a tensor`);
      }
      for (const source of [[0], tensor(Int32Array.of(0))]) {
        tally.throws(() => gather(zeros([0, 2]), source), /axis of length 0/, "gather of nothing");
      }
    }
    for (let i = -n; i < n; i++) {
      for (const source of [[i], Int32Array.of(i), tensor(Int32Array.of(i))]) {
        const expected = [elements.at(i)!];
        tally.bits(values(gather(x, source)), expected, `gather at ${i}`);
        tally.bits(values(takeAlongAxis(x, source)), expected, `takeAlongAxis at ${i}`);
        const added = elements.map((value, k) => (k === (i + n) % n ? value + 1 : value));
        tally.bits(values(scatterAdd(x, source, g)), added, `scatterAdd at ${i}`);
      }
    }
    for (const index of [-1, n]) {
      const classes = tensor(Int32Array.of(index));
      tally.throws(() => oneHot(classes, n), /^oneHot: .*out of range/, `oneHot of ${index}`);
    }
    for (const value of wrong) {
      for (const source of [[value], Float32Array.of(value), tensor(Float64Array.of(value))]) {
        const make = () => tensor(source as Tensor, { dtype: "int32" });
        tally.throws(make, /^tensor: .* is no int32/, `tensor of ${value}`);
      }
    }
  },
);

const numbers = law(
  "numbers beside tensors",
  "a number has the dtype of the tensors beside it; a condition that is not 0 stays so in any dtype",
  (_random, tally) => {
    const of = (dtype: DType) => tensor([0, 1, 3], { dtype });
    const dtype = (found: Tensor, expected: DType, what: string) =>
      tally.check(found.dtype === expected, () => `${what} is ${found.dtype}, not ${expected}`);
    for (const type of ["float32", "float64", "int32"] as const) {
      const x = of(type);
      for (const name of ["add", "sub", "mul", "maximum", "minimum", "mod", "less", "equal"]) {
        dtype(call(x, name, 2), type, `${name} of ${type} and a number`);
      }
      dtype(sub(2, x), type, `sub of a number and ${type}`);
      dtype(where(x, x, 2), type, `where of ${type} and a number`);
      dtype(where(of("float64"), 2, x), type, `where of a number and ${type}`);
      dtype(where(x, 2, 1), type === "int32" ? "float32" : type, `where by ${type} of numbers`);
      const third = where(x, 1 / 3, 0)
        .slice([1])
        .item();
      const expected = type === "float64" ? 1 / 3 : Math.fround(1 / 3);
      tally.number(third, expected, () => `where by ${type}: a third`);
    }
    const conditions = {
      "1e-300": tensor([1e-300, 0], { dtype: "float64" }),
      "0.5": tensor([0.5, -0]),
      NaN: tensor([Number.NaN, 0]),
      "-2^31": tensor(Int32Array.of(least, 0)),
    };
    for (const [name, condition] of Object.entries(conditions)) {
      for (const type of ["float32", "float64", "int32"] as const) {
        const [a, b] = [tensor([7, 7], { dtype: type }), tensor([8, 8], { dtype: type })];
        tally.bits(values(where(condition, a, b)), [7, 8], `${name} as condition of ${type}`);
      }
    }
  },
);

/** Arithmetic of int32, and ops that pick elements. */
export function integerSubjects(): Subject[] {
  return [{ name: "integers", group: "integers", laws: [arithmetic, indices, numbers] }];
}
