import { apply } from "../../ops/apply.ts";
import type { OpDeclaration } from "../../ops/declare.ts";
import { Tape } from "../../tape.ts";
import { tensor } from "../../tensor/create.ts";
import type { FloatDType } from "../../tensor/dtype.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Flattened, randomVector } from "../function.ts";
import type { Finding, Law } from "../law.ts";
import {
  type Case,
  compare,
  compareParts,
  inputAt,
  type LawOptions,
  lawOf,
  rounding,
  worse,
} from "./case.ts";

/** One application of a fused op. */
interface Fused {
  readonly inputs: Tensor[];
  readonly attributes: unknown;
}

/** A fused op and its decomposition into plain ops have the same values, gradients and tangents. */
export function decompositionLaw(
  cases: readonly Case<Tensor[]>[],
  declaration: OpDeclaration,
  { dtype = "float64" }: LawOptions = {},
): Law {
  const head = {
    name: "decomposition",
    statement:
      "values, gradients, tangents and a gradient's derivative by its cotangent are those of plain ops",
    bound: rounding(dtype, 1e-12, 1e-5),
  };
  return lawOf(cases, head, (c, seed) =>
    scope(() => {
      let found: Finding | undefined;
      for (const { inputs, attributes } of applications(c, declaration, c.draw(seed, dtype))) {
        const on = (f: (inputs: readonly Tensor[]) => Tensor) =>
          new Flattened(f, inputs, c.label, dtype);
        const fused = on((xs) => apply(declaration, xs, attributes));
        const plain = on((xs) => declaration.decomposition!(xs, attributes));
        const u = randomVector(fused.outputs, seed + 1).map(Math.fround);
        const v = randomVector(fused.x.length, seed + 2).map(Math.fround);
        const both = [
          compare(fused.original(), plain.original(), (i) => `value ${i}`),
          compareParts(
            fused.inputParts,
            fused.pulled((pullback) => pullback(u)),
            plain.pulled((pullback) => pullback(u)),
            (i) => inputAt(fused, i),
          ),
        ];
        const [linear, other] = [fused.f, plain.f].map((f) =>
          sweepOf(f, inputs, u, dtype).pulled((pullback) => pullback(v)),
        );
        both.push(compare(linear!, other!, (i) => `<v, J' u> by u at ${i}`));
        const [dy, dz] = [fused.pushed(v), plain.pushed(v)];
        if (dy !== undefined && dz !== undefined) {
          both.push(compare(dy, dz, (i) => `tangent ${i}`));
        }
        found = both.reduce(worse, found);
      }
      return found;
    }),
  );
}

/** A backward sweep as a function of the cotangent it starts with. */
function sweepOf(
  f: (inputs: Tensor[]) => unknown,
  inputs: Tensor[],
  u: Float64Array,
  dtype: FloatDType,
): Flattened<Tensor> {
  const { shape, backend } = f(inputs) as Tensor;
  const sweep = (g: Tensor) => {
    const tape = new Tape();
    const watched = tape.watch(inputs);
    return tape.gradient(f(watched) as Tensor, watched, { cotangent: g });
  };
  return new Flattened<Tensor>(sweep, tensor(u, { shape, dtype, backend }), "sweep", dtype);
}

/** Where a sample's call comes to the fused op. */
function applications(
  { f }: Case<Tensor[]>,
  declaration: OpDeclaration,
  inputs: Tensor[],
): readonly Fused[] {
  const tape = new Tape();
  f(tape.watch(inputs));
  return Array.from({ length: tape.entries.length }, (_, i) => tape.entries.at(tape.base + i))
    .filter((entry) => entry.declaration === declaration)
    .map(({ inputs, attributes }) => ({ inputs: [...inputs], attributes }));
}
