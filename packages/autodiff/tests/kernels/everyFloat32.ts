// Holds the float32 kernels of the functions in gates to the float64 ones at every float32 number:
//
//   node --experimental-strip-types --conditions=@chronograd/source
//   packages/autodiff/tests/kernels/everyFloat32.ts
//
// Five minutes for each function; names of functions choose some of them. The float64 kernels are
// held to mpmath elsewhere.
import { Memory } from "../../src/kernels/memory.ts";
import { simdKernels } from "../../src/kernels/simd/index.ts";

const functions = ["tanh", "sigmoid", "exp"] as const;
/** Numbers that are computed at a time. */
const count = 2 ** 16;
const half = 2 ** 31;

interface Found {
  /** The largest error, in units in the last place, and where it is. */
  error: number;
  at: number;
  /** How often a larger number has a smaller value. */
  falls: number;
  /** How often `f(-x)` has not the bits of `-f(x)`. */
  notOdd: number;
}

/** All numbers of one sign from zero to infinity, in ascending order of their bits. */
function everyFloat32(variant: "plain" | "relaxed", name: (typeof functions)[number]): Found {
  const memory = new Memory();
  const kernels = simdKernels(memory, variant);
  const array = (bytes: number): number => memory.allocate(bytes * count);
  const [x, y, wide, truth, mirrored] = [array(4), array(4), array(8), array(8), array(4)];
  const { float32, float64, int32 } = memory.views;
  const bits = int32.subarray(x / 4, x / 4 + count);
  const [numbers, got, other] = [x, y, mirrored].map((at) =>
    float32.subarray(at / 4, at / 4 + count),
  ) as [Float32Array, Float32Array, Float32Array];
  const exact = float64.subarray(truth / 8, truth / 8 + count);
  const widened = float64.subarray(wide / 8, wide / 8 + count);
  const found: Found = { error: 0, at: Number.NaN, falls: 0, notOdd: 0 };
  const infinity = 0x7f800000;
  for (const sign of [0, half]) {
    let before = Number.NaN;
    for (let first = 0; first <= infinity; first += count) {
      const n = Math.min(count, infinity + 1 - first);
      for (let i = 0; i < n; i++) bits[i] = sign + first + i;
      widened.set(numbers);
      kernels.float32[name](n, x, y);
      kernels.float64[name](n, wide, truth);
      for (let i = 0; i < n; i++) {
        const value = got[i]!;
        const error = Math.abs(value - exact[i]!) / spacing(exact[i]!);
        if (!(error <= found.error) && !Object.is(value, Math.fround(exact[i]!))) {
          [found.error, found.at] = [error, numbers[i]!];
        }
        if (sign === 0 ? value < before : value > before) found.falls++;
        before = value;
      }
      if (name !== "tanh" || sign !== 0) continue;
      for (let i = 0; i < n; i++) bits[i] = half + first + i;
      kernels.float32[name](n, x, mirrored);
      for (let i = 0; i < n; i++) if (!Object.is(other[i]!, -got[i]!)) found.notOdd++;
    }
  }
  return found;
}

const word = new Float64Array(1);
const high = new Int32Array(word.buffer);
/** Distance between neighbouring float32 numbers at `x`. */
function spacing(x: number): number {
  word[0] = x;
  return 2 ** (Math.min(Math.max(((high[1]! >>> 20) & 2047) - 1023, -126), 127) - 23);
}

const chosen = process.argv.slice(2);
for (const name of functions) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  for (const variant of ["plain", "relaxed"] as const) {
    const { error, at, falls, notOdd } = everyFloat32(variant, name);
    const odd = name === "tanh" ? `, ${notOdd} values are not odd` : "";
    console.log(
      `${name}, ${variant}: ${error.toFixed(4)} units at ${at}; it falls ${falls} times${odd}`,
    );
  }
}
