import { compile, createBackend, scope, type Tensor, tensor } from "@chronograd/autodiff";
import { type KernelMaker, simdKernels } from "@chronograd/autodiff/extend";
import { referenceKernels } from "@chronograd/autodiff/reference";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";

/** Programs whose calls are fused, packed or linked, and a kernel that each calls. */
const programs: readonly (readonly [
  kernel: "tanh" | "mul" | "matmul",
  f: (z: Tensor) => Tensor,
])[] = [
  ["tanh", (z) => z.mul(z).add(z).tanh()],
  ["mul", (z) => z.mul(z).add(z).tanh()],
  ["matmul", (z) => z.matmul(z).tanh().matmul(z)],
];

function drawn(seed: number, kernels: KernelMaker): Tensor {
  const random = rng(seed, "kernel sets");
  const values = Float64Array.from({ length: 9 }, () => random.normal());
  return tensor(values, { shape: [3, 3], backend: createBackend({ kernels }) });
}

const replaced: Law = {
  name: "replaced kernels",
  statement:
    "a compiled program calls a kernel that a set replaces as often as the function itself does",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      for (const [kernel, f] of programs) {
        let count = 0;
        const z = drawn(seed, (memory) => {
          const set = simdKernels(memory);
          const run = set.float64[kernel] as (...args: number[]) => void;
          const counted = (...args: number[]) => {
            count++;
            run(...args);
          };
          return { ...set, float64: { ...set.float64, [kernel]: counted } };
        });
        const y = f(z).toTypedArray();
        const calls = count;
        const compiled = compile(f);
        compiled(z);
        count = 0;
        tally.list(compiled(z).toTypedArray(), y, kernel);
        tally.number(count, calls, () => `calls of ${kernel}`);
      }
      return tally;
    }),
};

const addresses: Law = {
  name: "addresses",
  statement: "a compiled program calls kernels in JavaScript with addresses above 2 GiB",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      for (const [kernel, f] of programs) {
        const z = drawn(seed, (memory) => {
          memory.allocate(2 ** 31);
          return referenceKernels(memory);
        });
        tally.list(compile(f)(z).toTypedArray(), f(z).toTypedArray(), kernel);
      }
      return tally;
    }),
};

const growth: Law = {
  name: "growth",
  statement: "every block of a memory lies in it, up to 4 GiB",
  bound: 0,
  measure: (seed) => {
    const tally = new Tally();
    const random = rng(seed, "growth");
    const { memory } = createBackend();
    while (memory.bytesInUse < 7 * 2 ** 29) {
      const bytes = random.integer(2 ** 27, 2 ** 28);
      const end = memory.allocate(bytes) + bytes;
      const has = memory.wasm.buffer.byteLength;
      tally.check(end <= has, () => `a block ends at ${end}, and the memory at ${has}`);
    }
    return tally;
  },
};

/** What holds for kernel sets of a user's own. */
export function kernelSetSubject(): Subject {
  return { name: "kernel sets", group: "kernel sets", laws: [replaced, addresses, growth] };
}
