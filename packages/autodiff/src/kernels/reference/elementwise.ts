import ndarray, { type NdArray } from "ndarray";
import ops from "ndarray-ops";
import type { FloatKernels } from "../contract.ts";
import type {
  BinaryKernel,
  BinaryName,
  ScaledName,
  UnaryKernel,
  UnaryName,
} from "../elementwise.ts";
import { sigmoid } from "../gates.ts";
import { mod } from "../int32.ts";
import type { Memory } from "../memory.ts";

type Elements = NdArray<Float32Array | Float64Array>;
type Scalar = (x: number) => number;

/** Functions that `ndarray-ops` has. */
const arrayUnary = {
  neg: ops.neg,
  abs: ops.abs,
  exp: ops.exp,
  log: ops.log,
  sqrt: ops.sqrt,
  reciprocal: ops.recip,
  sin: ops.sin,
  cos: ops.cos,
  tan: ops.tan,
  asin: ops.asin,
  acos: ops.acos,
  atan: ops.atan,
  floor: ops.floor,
  ceil: ops.ceil,
} as const;

const arrayBinary = {
  add: ops.add,
  sub: ops.sub,
  mul: ops.mul,
  div: ops.div,
  maximum: ops.max,
  minimum: ops.min,
  atan2: ops.atan2,
  less: ops.lt,
  lessEqual: ops.leq,
  greater: ops.gt,
  greaterEqual: ops.geq,
  equal: ops.eq,
  notEqual: ops.neq,
} as const;

/** log(1 + e^x). */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** x/(1 + e^-x); for x < 0 by h = e^(x/2), so that nothing underflows before the last product. */
function silu(x: number): number {
  if (x === -Infinity) return -0;
  if (!(x < 0)) return x / (1 + Math.exp(-x));
  const h = Math.exp(x / 2);
  return ((x * h) / (1 + h * h)) * h;
}

/**
 * erf(x) = 2/sqrt(pi) e^-x^2 (x + 2x^3/3 + 4x^5/15 + ...), all terms of one sign (Abramowitz &
 * Stegun 7.1.6).
 */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > Math.abs(sum) * 2 ** -60; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/**
 * sqrt(pi) e^x^2 erfc(x) = 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...)))) (Abramowitz & Stegun
 * 7.1.14); for x >= 1 200 levels leave a relative error under 1e-16.
 */
function erfcFraction(x: number): number {
  let tail = 0;
  for (let k = 200; k > 0; k--) tail = k / 2 / (x + tail);
  return 1 / (x + tail);
}

function erf(x: number): number {
  const t = Math.abs(x);
  if (!(t >= 1)) return erfSeries(x);
  const value = 1 - (Math.exp(-t * t) * erfcFraction(t)) / Math.sqrt(Math.PI);
  return x < 0 ? -value : value;
}

/**
 * x Phi(x) with Phi(x) = erfc(-x/sqrt(2))/2. In the tails e^(-x^2/2) comes from an exact square and
 * its rest; beyond 40 it vanishes.
 */
function gelu(x: number): number {
  const t = Math.abs(x);
  if (!(t >= Math.SQRT2)) return (x * (1 + erf(x * Math.SQRT1_2))) / 2;
  if (t > 40) return x < 0 ? -0 : x;
  const high = Math.fround(t);
  const density = Math.exp((-high * high) / 2) * Math.exp(((high - t) * (high + t)) / 2);
  const tail = (t * erfcFraction(t * Math.SQRT1_2) * density) / (2 * Math.sqrt(Math.PI));
  return x < 0 ? -tail : x - tail;
}

/** The nearest integer, the even one of two. */
function round(x: number): number {
  const lower = Math.floor(x);
  const distance = x - lower;
  const up = distance > 0.5 || (distance === 0.5 && lower % 2 !== 0);
  const value = up ? lower + 1 : lower;
  return value === 0 && x < 0 ? -0 : value;
}

const scalarUnary = {
  sign: Math.sign,
  log2: Math.log2,
  log10: Math.log10,
  expm1: Math.expm1,
  log1p: Math.log1p,
  rsqrt: (x) => 1 / Math.sqrt(x),
  square: (x) => x * x,
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  tanh: Math.tanh,
  sigmoid,
  softplus,
  logSigmoid: (x) => -softplus(-x),
  relu: (x) => Math.max(x, 0),
  gelu,
  silu,
  erf,
  round,
} as const satisfies Record<Exclude<UnaryName, keyof typeof arrayUnary>, Scalar>;

/**
 * IEEE 754's power; `Math.pow` has NaN for `1^NaN` and for 1 and -1 to the power of an infinity.
 */
function power(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;
}

const scalarBinary = { pow: power, hypot: Math.hypot, mod };

const scalarScaled = {
  scale: (x, alpha) => alpha * x,
  offset: (x, alpha) => x + alpha,
  leakyRelu: (x, alpha) => (x < 0 ? alpha * x : x),
  elu: (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x),
} as const satisfies Record<ScaledName, (x: number, alpha: number) => number>;

/** Each entry of `table` passed through `f`. */
function mapped<Name extends string, A, B>(
  table: Readonly<Record<Name, A>>,
  f: (value: A) => B,
): Record<Name, B> {
  const entries = Object.entries<A>(table).map(([name, value]) => [name, f(value)]);
  return Object.fromEntries(entries) as Record<Name, B>;
}

/**
 * Element-wise kernels in float64 arithmetic, rounded once when stored: `Math` where it has the
 * function, else the stable form of the textbook. The number `alpha` of a scaled kernel is rounded
 * to the dtype first.
 */
export function elementwise(
  memory: Memory,
  dtype: "float32" | "float64",
): Pick<FloatKernels, UnaryName | ScaledName | BinaryName | "select"> {
  const size = dtype === "float32" ? 4 : 8;
  const rounded: Scalar = dtype === "float32" ? Math.fround : (value) => value;
  const vector = (n: number, pointer: number): Elements =>
    ndarray(memory.views[dtype], [n], [1], pointer / size);
  const matrix = (rows: number, cols: number, pointer: number, row = cols, col = 1): Elements =>
    ndarray(memory.views[dtype], [rows, cols], [row, col], pointer / size);

  const fromArrays = (f: (y: Elements, x: Elements) => unknown): UnaryKernel => {
    return (n, x, y) => {
      f(vector(n, y), vector(n, x));
    };
  };
  const fromScalar = (f: Scalar): UnaryKernel => {
    return (n, x, y) => {
      const view = memory.views[dtype];
      for (let i = 0; i < n; i++) view[y / size + i] = f(view[x / size + i]!);
    };
  };
  const binary = (f: (y: Elements, a: Elements, b: Elements) => unknown): BinaryKernel => {
    return (rows, cols, a, aRow, aCol, b, bRow, bCol, y) => {
      const to = matrix(rows, cols, y);
      f(to, matrix(rows, cols, a, aRow, aCol), matrix(rows, cols, b, bRow, bCol));
    };
  };

  const scalars = (f: (a: number, b: number) => number) =>
    binary((to, first, second) => {
      const [rows, cols] = to.shape as [number, number];
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < cols; c++) to.set(r, c, f(first.get(r, c), second.get(r, c)));
      }
    });

  return {
    ...mapped(arrayUnary, fromArrays),
    ...mapped(scalarUnary, fromScalar),
    ...mapped(scalarScaled, (f: (x: number, alpha: number) => number) => {
      return (n: number, x: number, y: number, alpha: number) => {
        const constant = rounded(alpha);
        fromScalar((value) => f(value, constant))(n, x, y);
      };
    }),
    ...mapped(arrayBinary, binary),
    ...mapped(scalarBinary, scalars),
    select(rows, cols, condition, conditionRow, conditionCol, a, aRow, aCol, b, bRow, bCol, y) {
      const to = matrix(rows, cols, y);
      const chosen = matrix(rows, cols, condition, conditionRow, conditionCol);
      const first = matrix(rows, cols, a, aRow, aCol);
      const second = matrix(rows, cols, b, bRow, bCol);
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < cols; c++) {
          to.set(r, c, (chosen.get(r, c) !== 0 ? first : second).get(r, c));
        }
      }
    },
  };
}
