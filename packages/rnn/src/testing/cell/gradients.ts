import {
  checkGradients,
  functionLaws,
  type GradientReport,
  type Law,
} from "@chronograd/autodiff/testing";
import {
  type Attempt,
  type Case,
  decided,
  draw,
  gradientOf,
  law,
  results,
  run,
  type Subject,
} from "./subject.ts";

/**
 * Gradients by parameters, first state and all inputs, through some steps, are those of
 * differences.
 */
export function gradients(subject: Subject, steps: number): Law {
  const { cell, tolerance } = subject;
  const through = steps === 1 ? "one step" : `${steps} steps`;
  const f = (at: unknown): unknown => results(run(cell, at as Case));
  return law(
    `gradients, ${through}`,
    `gradients by parameters, state and inputs over ${through} equal central differences`,
    tolerance,
    (seed) =>
      decided(subject, (attempt) => {
        const drawn: unknown = draw(subject, seed, { steps, batch: 2, attempt });
        return attemptOf(checkGradients(f, drawn, { tolerance, seed }));
      }),
  );
}

function attemptOf(report: GradientReport): Attempt {
  const { elements: cases, worst, mismatches, undecided } = report;
  const text = String(report);
  if (mismatches.length > 0) return { error: Math.max(worst, Number.MIN_VALUE), cases, what: text };
  return { error: worst, cases, ...(undecided.length > 0 && { undecided: text }) };
}

/**
 * Reverse and forward mode, and second derivatives in every order of modes: no step size is
 * involved.
 */
export function modes(subject: Subject): Law[] {
  return functionLaws(
    (at: unknown) => results(run(subject.cell, at as Case)),
    (seed): unknown => draw(subject, seed, { steps: 2 }),
  ).filter(({ name }) => name === "adjoint" || name === "hessian");
}

/** The same sweep twice gives the same bits. */
export function gradientRepeats(subject: Subject): Law {
  return law(
    "gradient repeats",
    "the gradient of the same case is the same, bit by bit, on every tape",
    0,
    (seed, tally) => {
      const drawn = draw(subject, seed);
      const gradient = (): unknown => gradientOf(subject.cell, drawn, seed);
      tally.trees(gradient(), gradient(), "the gradient by ");
      return tally;
    },
  );
}
