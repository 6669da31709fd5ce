import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findBlas } from "#blas";
import { blasKernels } from "../../src/kernels/blas/index.ts";
import { type BlasLibrary, type Gemm, isRight } from "../../src/kernels/blas/library.ts";
import { packedLength } from "../../src/kernels/matmul.ts";
import { Memory } from "../../src/kernels/memory.ts";
import { simdKernels } from "../../src/kernels/simd/index.ts";

const found = findBlas();
if (typeof found === "string") console.log(`no native BLAS (${found}): its tests are skipped`);

/** A library in JavaScript, on the address that `at` gives a buffer. */
function imitation(change: (gemm: Gemm) => Gemm = (gemm) => gemm): BlasLibrary {
  let buffer = new ArrayBuffer(0);
  const product =
    (make: typeof Float32Array | typeof Float64Array): Gemm =>
    (aT, bT, m, n, k, a, lda, b, ldb, beta, c, ldc) => {
      const memory = new make(buffer);
      const at = (address: number) => (address - 1e6) / make.BYTES_PER_ELEMENT;
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = beta * memory[at(c) + i * ldc + j]!;
          for (let l = 0; l < k; l++) {
            const x = memory[at(a) + (aT ? l * lda + i : i * lda + l)]!;
            sum += x * memory[at(b) + (bT ? j * ldb + l : l * ldb + j)]!;
          }
          memory[at(c) + i * ldc + j] = sum;
        }
      }
    };
  return {
    name: "imitation",
    threads: 1,
    small: 0,
    float32: change(product(Float32Array)),
    float64: change(product(Float64Array)),
    useThreads() {},
    addressOf(given) {
      buffer = given;
      return 1e6;
    },
  };
}

describe("isRight", () => {
  test("takes a library that computes products", () => {
    expect(isRight(imitation())).toBe(true);
  });

  test.each<[string, (gemm: Gemm) => Gemm]>([
    [
      "column-major order",
      (gemm) =>
        (aT, bT, ...rest) =>
          gemm(!aT, !bT, ...rest),
    ],
    [
      "overwriting what it should add to",
      (gemm) => (aT, bT, m, n, k, a, lda, b, ldb, _, c, ldc) =>
        gemm(aT, bT, m, n, k, a, lda, b, ldb, 0, c, ldc),
    ],
    ["doing nothing", () => () => {}],
  ])("refuses %s", (_, change) => {
    expect(isRight(imitation(change))).toBe(false);
  });
});

test("products from the given size on are the library's, also after the memory has grown", () => {
  const memory = new Memory();
  const calls: string[] = [];
  const library = imitation((gemm) => (aT, bT, m, n, k, ...rest) => {
    calls.push(`${m} ${n} ${k}`);
    gemm(aT, bT, m, n, k, ...rest);
  });
  const kernels = blasKernels(simdKernels(memory), memory, library, 8);
  const product = (m: number, n: number, k: number): number[] => {
    const [a, b, c] = [m * k, k * n, m * n].map((size) => memory.allocate(4 * size)) as [
      number,
      number,
      number,
    ];
    kernels.float32.fill(m * k, 2, a);
    kernels.float32.fill(k * n, 3, b);
    kernels.float32.matmul(m, n, k, a, k, 0, b, n, 0, c, n, 0);
    return Array.from(memory.views.float32.subarray(c / 4, c / 4 + m * n));
  };
  expect(product(1, 1, 7)).toEqual([42]);
  expect(product(2, 2, 2)).toEqual([12, 12, 12, 12]);
  const before = memory.growths;
  memory.allocate(1 << 24);
  expect(memory.growths).toBeGreaterThan(before);
  expect(product(4, 1, 2)).toEqual([12, 12, 12, 12]);
  expect(product(1, 0, 9)).toEqual([]);
  expect(calls).toEqual(["2 2 2", "4 1 2"]);
});

describe("products by a packed matrix", () => {
  const sizes = fc.record({
    m: fc.integer({ min: 2, max: 9 }),
    n: fc.integer({ min: 1, max: 200 }),
    k: fc.integer({ min: 1, max: 40 }),
    aT: fc.constantFrom(0, 1),
    bT: fc.constantFrom(0, 1),
    accumulate: fc.constantFrom(0, 1),
    small: fc.constantFrom(0, 1, 700, 1e6),
    gap: fc.nat(3),
  });

  test.each(["float32", "float64"] as const)("are those by the matrix, in %s", (dtype) => {
    let parts = 0;
    fc.assert(
      fc.property(sizes, ({ m, n, k, aT, bT, accumulate, small, gap }) => {
        const memory = new Memory();
        const library = {
          ...imitation((gemm) => (...given) => {
            parts++;
            gemm(...given);
          }),
          small,
        };
        const kernels = blasKernels(simdKernels(memory), memory, library, 500);
        const size = dtype === "float32" ? 4 : 8;
        // Whole numbers, so that sums are exact in any order.
        const put = (count: number, seed: number): number => {
          const pointer = memory.allocate(count * size);
          for (let i = 0; i < count; i++) {
            memory.views[dtype][pointer / size + i] = Math.round(9 * Math.sin(seed + 3.3 * i));
          }
          return pointer;
        };
        const [lda, ldb, ldc] = [(aT ? m : k) + gap, (bT ? k : n) + gap, n + gap];
        const a = put((aT ? k : m) * lda, 1);
        const b = put((bT ? n : k) * ldb, 2);
        const y = memory.allocate(packedLength(n, k) * size);
        const [found, expected] = [put(m * ldc, 3), put(m * ldc, 3)];
        const { pack, matmulPacked } = kernels[dtype];
        pack(n, k, b, ldb, bT, y);
        matmulPacked(m, n, k, a, lda, aT, y, found, ldc, accumulate);
        const plain = simdKernels(memory)[dtype];
        plain.matmul(m, n, k, a, lda, aT, b, ldb, bT, expected, ldc, accumulate);
        // A sum of nothing but zeros has the sign of the order in which they are added.
        const values = (pointer: number) =>
          memory.views[dtype].slice(pointer / size, pointer / size + m * ldc).map((x) => x + 0);
        expect(values(found)).toEqual(values(expected));
      }),
      { numRuns: 150 },
    );
    expect(parts).toBeGreaterThan(150);
  });
});

/** What another process says of its kernels, with a setting of the environment, after `before`. */
function kernelsWith(setting: string, before = ""): string {
  const backend = new URL("../../src/index.ts", import.meta.url);
  const program = `import { defaultBackend, ones } from ${JSON.stringify(backend.href)};
    ${before}
    const y = ones([64, 64]).matmul(ones([64, 64]));
    console.log(defaultBackend().kernels.name, y.sum().item());`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@chronograd/source", "--input-type=module", "--eval", program],
    { encoding: "utf8", env: { ...process.env, CHRONOGRAD_BLAS: setting } },
  );
  expect(stderr).toBe("");
  return stdout.trim();
}

describe("CHRONOGRAD_BLAS", () => {
  test.each(["off", "/there/is/no/such/library.so", "libc.so.6"])("%s: none, silently", (path) => {
    expect(kernelsWith(path)).toMatch(/^simd(-relaxed)? 262144$/);
  });

  test.skipIf(typeof found === "string")("unset: the one that is found", () => {
    expect(kernelsWith("")).toMatch(/^simd(-relaxed)? and .+ 262144$/);
  });
});

test.each(["CHRONOGRAD_BLAS", "OPENBLAS_CORETYPE"])(
  "a process that may not read %s, as in Deno, has none",
  (name) => {
    const forbid = `const { env } = process;
      const get = (_, key) => {
        if (key === "${name}") throw new Error("Requires env access");
        return env[key];
      };
      Object.defineProperty(process, "env", { value: new Proxy({}, { get }) });`;
    expect(kernelsWith("", forbid)).toMatch(/^simd(-relaxed)?( and .+)? 262144$/);
  },
);

test.runIf(process.env.CHRONOGRAD_EXPECTS_BLAS !== undefined)("a native BLAS is here", () => {
  expect(found).not.toBeTypeOf("string");
});
