import type { KernelMaker } from "../kernels/contract.ts";
import { opTable } from "../ops/table.ts";
import { type Backend, createBackend } from "../tensor/backend.ts";
import type { FloatDType } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import { scope } from "../tensor/scope.ts";
import { holdAll, type Law, type Report, type SeedOptions } from "./law.ts";
import { callLaws } from "./laws/calls.ts";
import { compare, worse } from "./laws/case.ts";
import type { Declared } from "./op.ts";
import { opLaws } from "./op.ts";
import { drawInputs } from "./samples.ts";
import { checkSettings } from "./settings.ts";

/** Laws of ops that depend on the kernels. */
const about: ReadonlySet<string> = new Set(["reference", "float32", "edges", "compiled"]);

/** What a kernel set is held to. */
export interface KernelTestOptions extends SeedOptions {
  /**
   * The set that is right by definition: `referenceKernels` of `@chronograd/autodiff/reference`.
   */
  readonly reference: KernelMaker;
}

/**
 * Holds a kernel set to the reference kernels: every kernel with random arguments, and the samples
 * of every op, their values, gradients, tangents, edge values and compiled programs. Its memory
 * begins above 2 GiB, if so much can be reserved.
 *
 * @returns one law for each kernel, `float64.tanh`, and for each op, dtype and law,
 *   `tanh float64 edges`
 *
 * @example
 * ```ts
 * import { simdKernels } from "@chronograd/autodiff/extend";
 * import { referenceKernels } from "@chronograd/autodiff/reference";
 * import { testKernels } from "@chronograd/autodiff/testing";
 *
 * testKernels(simdKernels, { reference: referenceKernels, runs: 1 }).ok; // => true
 * ```
 */
export function testKernels(kernels: KernelMaker, options: KernelTestOptions): Report {
  checkOptions("testKernels", options, ["reference", "seed", "runs"]);
  checkSettings("testKernels", options);
  const { reference: right, ...seeds } = options;
  if (typeof kernels !== "function" || typeof right !== "function") {
    throw new TypeError(
      `testKernels: expected a function from a memory to a kernel set, and one as the option reference, got ${typeof kernels} and ${typeof right}; referenceKernels stands in @chronograd/autodiff/reference`,
    );
  }
  const [backend, reference] = [onHighAddresses(kernels), right].map((make) =>
    createBackend({ kernels: make }),
  );
  const laws = (["float64", "float32"] as const).flatMap((dtype) =>
    opTable().flatMap(({ name, declaration }) => {
      const given = { backend: backend!, reference: reference!, dtype };
      const ofOp = opLaws(declaration, given).filter((law) => about.has(law.name));
      const all = ofOp.length > 0 ? ofOp : [valueLaw(declaration, given)];
      return all.map((law) => ({ ...law, name: `${name} ${dtype} ${law.name}` }));
    }),
  );
  return holdAll(backend!.kernels.name, [...callLaws(backend!, reference!), ...laws], seeds);
}

/**
 * A set whose every address lies above 2 GiB, if so much can be reserved: there an address that
 * passes through a signed integer (`pointer >> 3`) is lost.
 */
function onHighAddresses(make: KernelMaker): KernelMaker {
  return (memory) => {
    try {
      memory.allocate(2 ** 31);
    } catch {}
    return make(memory);
  };
}

/** Samples without floating results give the same values. */
function valueLaw(
  declaration: Extract<Declared, { readonly samples: unknown }>,
  { backend, reference, dtype }: { backend: Backend; reference: Backend; dtype: FloatDType },
): Law {
  return {
    name: "values",
    statement: "values are those of the reference kernels",
    bound: 0,
    measure: (seed) =>
      scope(() =>
        declaration.samples
          .map((sample) => {
            const [found, expected] = [backend, reference].map((on) =>
              sample
                .call(drawInputs(sample, declaration, seed, { backend: on, dtype }))
                .toTypedArray(),
            );
            return compare(found!, expected!, (i) => `${sample.label}, value ${i}`);
          })
          .reduce(worse),
      ),
  };
}
