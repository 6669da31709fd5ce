import {
  type Backend,
  type DType,
  defaultBackend,
  type Tensor,
  tensor,
  tree,
} from "@chronograd/autodiff";
import type { Rng } from "../../src/index.ts";

/** Names that objects, JSON and paths treat in their own ways. */
const hostileKeys = [
  ..."ab",
  "10",
  "2",
  "",
  "a.b",
  ".",
  "__proto__",
  "constructor",
  "toString",
  "$",
  "$$",
  "$number",
  "$tensor",
  "sha256",
  "length",
  '"\\\n\u2028',
  "\u00fc\u{1f40b}",
];

const hostileValues: readonly unknown[] = [
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_VALUE,
  5e-324,
  0.1,
  2 ** 53,
  -1e21,
  true,
  false,
  null,
  "",
  "NaN",
  "-0",
  "__proto__",
  "\ud800",
  "\u0000",
  "line\nline",
  {},
  [],
  [[]],
  { $number: "1" },
  { $tensor: "a" },
];

/** A tensor of random bits: NaNs of every payload, subnormal numbers, -0. */
export function randomTensor(random: Rng, backend = defaultBackend()): Tensor {
  const dtype = pick(random, ["float32", "float64", "int32"] as const);
  const shape = Array.from({ length: random.integer(0, 4) }, () => random.integer(0, 4));
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(randomBits(random, dtype, size), { shape, backend });
}

function randomBits(random: Rng, dtype: DType, size: number) {
  const words = Uint32Array.from({ length: 2 * size }, () => random.integer(0, 2 ** 32));
  for (let i = 0; i < words.length; i++) {
    const special = random.integer(0, 8);
    // Quiet and signalling NaNs of both dtypes, and -0.
    if (special < 4) words[i] = [0x7f800001, 0xfff8beef, 0x7ff00000, 0x80000000][special]!;
  }
  if (dtype === "float64") return new Float64Array(words.buffer);
  const half = words.slice(0, size).buffer;
  return dtype === "int32" ? new Int32Array(half) : new Float32Array(half);
}

export interface Drawn {
  readonly backend?: Backend;
  /** Whether all tensors have paths of their own, so that no tree is refused. */
  readonly areNamed?: boolean;
}

/** A tree of everything that a checkpoint may hold. At its root is an object. */
export function randomTree(
  random: Rng,
  { backend, areNamed = false }: Drawn = {},
): Record<string, unknown> {
  const keys = areNamed ? hostileKeys.filter((key) => !/^$|\./.test(key)) : hostileKeys;
  const draw = (depth: number): unknown => {
    const kind = random.uniform();
    if (kind < 0.25) return randomTensor(random, backend);
    if (depth > 3 || kind < 0.55) return pick(random, hostileValues);
    const length = random.integer(0, 4);
    if (kind < 0.7) return Array.from({ length }, () => draw(depth + 1));
    return object(length, depth);
  };
  const object = (length: number, depth: number) =>
    Object.fromEntries(
      Array.from({ length }, () => [pick(random, keys), draw(depth + 1)] as const),
    );
  return object(random.integer(1, 6), 0);
}

/** A tree whose tensors are spelt out, to be compared bit for bit. */
export function bits(values: unknown): unknown {
  return tree.map(values, (x: Tensor) => ({
    dtype: x.dtype,
    shape: [...x.shape],
    bytes: Buffer.from(x.toTypedArray().buffer).toString("hex"),
  }));
}

export function pick<T>(random: Rng, from: readonly T[]): T {
  return from[random.integer(0, from.length)]!;
}
