import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GateKernels, gateNames, gateSignatures } from "../../src/kernels/gates.ts";
import { type Arena, floatArenas, roundoff, spread } from "./arena.ts";

type Dtype = "float32" | "float64";
type Operand = "x" | "y" | "h" | "bias" | "g" | "gates" | "c" | "shown";
/** One element's numbers, by operand and block. */
type Element = Readonly<Record<Operand, readonly number[]>>;

interface Definition {
  /** Operands in the order of the arguments, and how many blocks each has; 0 is a row that all rows share. */
  readonly operands: Readonly<Partial<Record<Operand, number>>>;
  /** What is written, block by block; `undefined` is a zero, and not touched where a kernel adds. */
  readonly f: (x: Element) => readonly (number | undefined)[];
  /** A number between the operands and `accumulate`. */
  readonly flag?: number;
  /** Whether rows are summed. */
  readonly sums?: true;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const { tanh } = Math;
const dTanh = (y: number) => 1 - y * y;
const dSigmoid = (y: number) => y - y * y;

/** `y` where it is `o tanh(c)`, as the kernel may use. */
const shownAs = { gates: 4, c: 1, shown: 1, g: 1 };

function gruVjp(recurrent: number): Definition {
  return {
    operands: { y: 3, h: 3, bias: 0, g: 3 },
    flag: recurrent,
    f: ({ y: [r, z, n], h, bias, g }) => {
      const d = g[2]! * dTanh(n!);
      const byR = (g[0]! + d * (h[2]! + bias[0]!)) * dSigmoid(r!);
      return [byR, g[1]! * dSigmoid(z!), recurrent === 1 ? d * r! : d];
    },
  };
}

const definitions: readonly (readonly [keyof GateKernels, Definition])[] = [
  [
    "lstmGates",
    { operands: { x: 4 }, f: ({ x }) => x.map((v, k) => (k === 2 ? tanh(v) : sigmoid(v))) },
  ],
  [
    "lstmGatesVjp",
    {
      operands: { y: 4, g: 4 },
      f: ({ y, g }) => y.map((v, k) => g[k]! * (k === 2 ? dTanh(v) : dSigmoid(v))),
    },
  ],
  [
    "lstmCellState",
    { operands: { gates: 4, c: 1 }, f: ({ gates: [i, f, g], c }) => [f! * c[0]! + i! * g!] },
  ],
  [
    "lstmCellStateVjpGates",
    {
      operands: { gates: 4, c: 1, g: 1 },
      f: ({ gates: [i, , k], c, g: [g] }) => [g! * k!, g! * c[0]!, g! * i!, undefined],
    },
  ],
  ["lstmCellStateVjpC", { operands: { gates: 4, g: 1 }, f: ({ gates, g }) => [g[0]! * gates[1]!] }],
  ["lstmOutput", { operands: { gates: 4, c: 1 }, f: ({ gates, c }) => [gates[3]! * tanh(c[0]!)] }],
  [
    "lstmOutputVjpGates",
    {
      operands: shownAs,
      f: ({ c, g }) => [undefined, undefined, undefined, g[0]! * tanh(c[0]!)],
    },
  ],
  [
    "lstmOutputVjpC",
    { operands: shownAs, f: ({ gates, c, g }) => [g[0]! * gates[3]! * dTanh(tanh(c[0]!))] },
  ],
  [
    "gruGates",
    {
      operands: { x: 3, h: 3, bias: 0 },
      f: ({ x, h, bias }) => {
        const r = sigmoid(x[0]! + h[0]!);
        return [r, sigmoid(x[1]! + h[1]!), tanh(x[2]! + r * (h[2]! + bias[0]!))];
      },
    },
  ],
  ["gruGatesVjp", gruVjp(0)],
  ["gruGatesVjp", gruVjp(1)],
  [
    "gruGatesVjpBias",
    { operands: { y: 3, g: 3 }, sums: true, f: ({ y, g }) => [g[2]! * dTanh(y[2]!) * y[0]!] },
  ],
  [
    "gruOutput",
    { operands: { gates: 3, h: 1 }, f: ({ gates: [, z, n], h }) => [n! + z! * (h[0]! - n!)] },
  ],
  [
    "gruOutputVjpGates",
    {
      operands: { gates: 3, h: 1, g: 1 },
      f: ({ gates: [, z, n], h, g: [g] }) => [undefined, g! * (h[0]! - n!), g! * (1 - z!)],
    },
  ],
  ["gruOutputVjpH", { operands: { gates: 3, g: 1 }, f: ({ gates, g }) => [g[0]! * gates[1]!] }],
];

/** Runs a kernel on `operands`; `before` is what lies where the result goes. */
function run(
  arena: Arena,
  dtype: Dtype,
  name: keyof GateKernels,
  sizes: readonly [rows: number, hidden: number],
  operands: readonly (readonly number[])[],
  flags: readonly number[],
  before: readonly number[],
): number[] {
  const pointers = operands.map((values) => arena.put(dtype, values));
  const to = arena.put(dtype, before);
  (arena.kernels[dtype][name] as (...args: number[]) => void)(...sizes, ...pointers, ...flags, to);
  const result = arena.get(dtype, to, before.length);
  arena.clear();
  return result;
}

function holds(
  arena: Arena,
  dtype: Dtype,
  [name, { operands, f, flag, sums }]: (typeof definitions)[number],
  rows: number,
  hidden: number,
  accumulate: number,
  change: (values: Record<string, number[]>) => void = () => {},
): void {
  const round = dtype === "float32" ? Math.fround : (x: number) => x;
  const values: Record<string, number[]> = {};
  Object.entries(operands).forEach(([operand, blocks], k) => {
    const count = blocks === 0 ? hidden : rows * blocks * hidden;
    values[operand] = spread(count, k).map((x) => round(2 * x));
  });
  change(values);
  const { gates, c, shown } = values;
  shown?.forEach((_, at) => {
    const [r, column] = [Math.floor(at / hidden), at % hidden];
    shown[at] = round(gates![(4 * r + 3) * hidden + column]! * tanh(c![at]!));
  });
  const element = (r: number, column: number): Element =>
    Object.fromEntries(
      Object.entries(operands).map(([operand, blocks]) => {
        const all = values[operand]!;
        if (blocks === 0) return [operand, [all[column]!]];
        const at = (block: number) => all[(r * blocks + block) * hidden + column]!;
        return [operand, Array.from({ length: blocks }, (_, block) => at(block))];
      }),
    ) as unknown as Element;
  const ones = Object.fromEntries(Object.keys(operands).map((operand) => [operand, [1, 1, 1, 1]]));
  const blocks = f(ones as unknown as Element).length;
  const before = spread((sums === true ? 1 : rows) * blocks * hidden, 9);
  const expected = before.map((x) => (accumulate === 1 ? x : 0));
  for (let r = 0; r < rows; r++) {
    for (let column = 0; column < hidden; column++) {
      f(element(r, column)).forEach((value, block) => {
        expected[((sums === true ? 0 : r) * blocks + block) * hidden + column]! += value ?? 0;
      });
    }
  }
  const takesFlag = gateSignatures[name].endsWith("nu");
  const flags = [...(flag === undefined ? [] : [flag]), ...(takesFlag ? [accumulate] : [])];
  const found = run(arena, dtype, name, [rows, hidden], Object.values(values), flags, before);
  // Twenty roundings of numbers below 20, as many as there are rows in a sum.
  const bound = 400 * roundoff[dtype] * (sums === true ? Math.max(1, rows) : 1);
  const worst = found.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i]!)), 0);
  expect(worst, `${name} of ${rows} rows, ${hidden} columns`).toBeLessThanOrEqual(bound);
}

test("every gate kernel has its definition here", () => {
  expect(new Set(definitions.map(([name]) => name))).toEqual(new Set(gateNames));
});

describe.each(floatArenas)("gate kernels of %s in %s", (_, dtype, arena) => {
  const sizes = [fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 21 })] as const;

  test.each(definitions)("%s is its definition, whatever the size", (...definition) => {
    const [name] = definition;
    const modes = gateSignatures[name].endsWith("nu") ? [0, 1] : [0];
    fc.assert(
      fc.property(...sizes, fc.constantFrom(...modes), (rows, hidden, accumulate) => {
        holds(arena, dtype, definition, rows, hidden, accumulate);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ["shut", 0],
    ["nearly shut", 1e-30],
    ["open", 1],
    ["shut from below", -0],
  ])("an output gate that is %s still has the derivative of tanh", (_how, o) => {
    for (const name of ["lstmOutputVjpGates", "lstmOutputVjpC"]) {
      const definition = definitions.find((each) => each[0] === name)!;
      holds(arena, dtype, definition, 3, 7, 0, ({ gates, c }) => {
        for (let k = 0; k < gates!.length; k++) gates![k] = k % 2 === 0 ? o : gates![k]!;
        c!.splice(0, 6, 0, -0, 1e-30, 40, -40, 1e-12);
      });
    }
  });

  test("infinite gates do not make a NaN of the cotangent", () => {
    const [gates, c, y] = [[0, 0, 0, Infinity], [Math.fround(0.5)], [Infinity]];
    const found = run(
      arena,
      dtype,
      "lstmOutputVjpGates",
      [1, 1],
      [gates, c, y, [2]],
      [0],
      [7, 7, 7, 7],
    );
    expect(found.map((x) => x.toFixed(5))).toEqual(["0.00000", "0.00000", "0.00000", "0.92423"]);
  });
});
