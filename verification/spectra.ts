import { spectraLaws } from "../packages/rnn/tests/flow/spectraLaws.ts";
import type { Subject } from "./subject.ts";

/** Spectra of Jacobians, Lyapunov exponents, flossing, and fixed points. */
export function spectraSubject(): Subject {
  return { name: "spectra", group: "flow", laws: spectraLaws };
}
