import {
  type CompositeDeclaration,
  isNone,
  type OpDeclaration,
  type Sample,
} from "../ops/declare.ts";
import { type Backend, defaultBackend } from "../tensor/backend.ts";
import type { FloatDType } from "../tensor/dtype.ts";
import { isFloat } from "../tensor/dtype.ts";
import { checkOptions } from "../tensor/options.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { holdAll, type Law, type Report, type SeedOptions } from "./law.ts";
import { broadcastLaw } from "./laws/broadcast.ts";
import type { Case } from "./laws/case.ts";
import { compiledLaw } from "./laws/compiled.ts";
import { decompositionLaw } from "./laws/decomposition.ts";
import { errorLaw } from "./laws/errors.ts";
import { firstOrderLaws } from "./laws/first.ts";
import { edgeLaw, referenceLaw } from "./laws/kernels.ts";
import { layoutLaws } from "./laws/layout.ts";
import { secondOrderLaws } from "./laws/second.ts";
import { drawInputs } from "./samples.ts";
import { checkSettings } from "./settings.ts";

/** An op, or its declaration. */
export type Declared =
  | { readonly declaration: OpDeclaration | CompositeDeclaration }
  | OpDeclaration
  | CompositeDeclaration;

function declarationOf(op: Declared): OpDeclaration | CompositeDeclaration {
  return "declaration" in op ? op.declaration : op;
}

/** What an op is held to, and on which kernels. */
export interface OpLawOptions {
  /** The default backend unless given. */
  readonly backend?: Backend;
  /** A backend whose numbers are right by definition; without one, kernels are not compared. */
  readonly reference?: Backend;
  /** float64 unless given. */
  readonly dtype?: FloatDType;
}

/**
 * The laws of an op, made from its declaration: its samples say how to call it, its domains and
 * kinks where.
 *
 * @throws when the op declares no samples
 */
export function opLaws(op: Declared, options: OpLawOptions = {}): Law[] {
  checkOptions("opLaws", options, ["backend", "reference", "dtype"]);
  checkSettings("opLaws", options);
  const declaration = declarationOf(op);
  const { backend = defaultBackend(), dtype = "float64", reference } = options;
  const { name, samples } = declaration as OpDeclaration;
  if (samples.length === 0) {
    throw new RangeError(
      `opLaws: ${name} declares no samples, so there is nothing to try; add some to its declaration`,
    );
  }
  const draw = (sample: Sample, seed: number, type: FloatDType) =>
    drawInputs(sample, declaration, seed, { backend, dtype: type });
  const numeric = samples.filter(({ inputs }) =>
    inputs.some((spec) => spec.integers === undefined),
  );
  const cases = numeric.map(
    (sample): Case<Tensor[]> => ({
      label: sample.label,
      f: (inputs) => sample.call(inputs as Tensor[]),
      draw: (seed, type) => draw(sample, seed, type),
    }),
  );
  const floating = cases.filter((c) =>
    scope(() => isFloat((c.f(c.draw(1, dtype) as never) as Tensor).dtype)),
  );
  const isComposite = "composite" in declaration;
  const flows = floating.length > 0 && (isComposite || !isNone(declaration.vjp));
  const laws: Law[] = [];
  if (flows) {
    laws.push(...firstOrderLaws(floating, { dtype }));
    if (dtype === "float64") laws.push(...secondOrderLaws(floating));
    laws.push(...layoutLaws(floating, { dtype }), compiledLaw(floating, { dtype }));
  }
  if (!isComposite && declaration.broadcasts !== undefined && flows) {
    laws.push(broadcastLaw(floating, declaration.broadcasts, dtype));
  }
  if (!isComposite && declaration.decomposition !== undefined) {
    laws.push(decompositionLaw(floating, declaration, { dtype }));
  }
  if (reference !== undefined && floating.length > 0) {
    const bound = dtype === "float64" ? 1e-13 : (declaration.float32 ?? 2e-6);
    laws.push(referenceLaw(floating, { dtype, reference, bound }));
    laws.push(edgeLaw(floating, { dtype, reference, bound }));
  }
  if (!isComposite)
    laws.push(errorLaw(declaration, samples, (sample, seed) => draw(sample, seed, dtype)));
  return laws;
}

/**
 * Holds an op to all its laws: derivatives of first and second order, determinism, memory layout,
 * what it keeps, errors, and, beside a reference backend, its kernels.
 *
 * @throws when the op declares no samples
 *
 * @example
 * ```ts
 * import { tanh } from "@chronograd/autodiff";
 * import { testOp } from "@chronograd/autodiff/testing";
 *
 * const report = testOp(tanh);
 * report.ok; // => true
 * report.laws.find(({ name }) => name === "adjoint")?.statement; // => "<u, J v> = <J' u, v>: reverse and forward mode agree"
 * ```
 */
export function testOp(op: Declared, options: OpLawOptions & SeedOptions = {}): Report {
  checkOptions("testOp", options, ["backend", "reference", "dtype", "seed", "runs"]);
  checkSettings("testOp", options);
  const declaration = declarationOf(op);
  const { seed = 1, runs = 3, ...laws } = options;
  return holdAll(declaration.name, opLaws(declaration, laws), { seed, runs });
}
