import { Tape } from "@chronograd/autodiff";
import { checkGradients, type GradientReport, type Law } from "@chronograd/autodiff/testing";
import { Tally } from "../tally.ts";
import {
  type Attempt,
  type Case,
  contraction,
  decided,
  draw,
  law,
  results,
  run,
  type Subject,
} from "./subject.ts";

/** Gradients by parameters, first state and all inputs, through some steps, are those of differences. */
export function gradients(subject: Subject, steps: number): Law {
  const { tolerance } = subject;
  const through = steps === 1 ? "one step" : `${steps} steps`;
  return law(
    `gradients, ${through}`,
    `gradients by parameters, state and inputs over ${through} equal central differences`,
    tolerance,
    (seed) =>
      decided(subject, tolerance, (attempt) => {
        const drawn = draw(subject, seed, { steps, batch: 2, attempt });
        const f = (at: unknown): unknown => results(run(subject.cell, at as Case));
        return attemptOf(checkGradients(f, drawn as unknown, { tolerance, seed }));
      }),
  );
}

function attemptOf(report: GradientReport): Attempt {
  const { elements: cases, worst, mismatches, undecided } = report;
  const text = String(report);
  if (mismatches.length > 0) return { error: Math.max(worst, Number.MIN_VALUE), cases, what: text };
  return { error: worst, cases, ...(undecided.length > 0 && { undecided: text }) };
}

/** The same sweep twice gives the same bits. */
export function gradientRepeats(subject: Subject): Law {
  return law(
    "gradient repeats",
    "the gradient of the same case is the same, bit by bit, on every tape",
    0,
    (seed) => {
      const drawn = draw(subject, seed);
      const gradient = (): unknown => {
        const tape = new Tape();
        const watched = tape.watch(drawn) as Case;
        const loss = contraction(seed)(results(run(subject.cell, watched)));
        return tape.tracks(loss) ? tape.gradient(loss, watched) : {};
      };
      const tally = new Tally();
      tally.trees(gradient(), gradient(), "the gradient by ");
      return tally.finding();
    },
  );
}
