import { median } from "./statistics.ts";

/** The losses and gradient norms of a system's first steps. */
export interface Trace {
  readonly label: string;
  readonly losses: readonly number[];
  readonly norms: readonly number[];
}

/**
 * Relative differences up to which two systems count as equal. Between correct systems, rounding
 * was seen to make 5e-6 of difference in losses and 5e-5 in norms, which some systems sum in
 * float32.
 */
const tolerance = { loss: 5e-5, norm: 5e-4 };

/**
 * Which systems differ from most others, and how, by label: every loss and every norm of the
 * gradient is compared with the median over all systems.
 */
export function disagreements(traces: readonly Trace[]): Map<string, string> {
  const found = new Map<string, string>();
  const compare = (kind: "loss" | "norm", of: (trace: Trace) => readonly number[]): void => {
    const steps = Math.max(0, ...traces.map((trace) => of(trace).length));
    for (let i = 0; i < steps; i++) {
      const finite = traces.map((trace) => of(trace)[i] ?? Number.NaN).filter(Number.isFinite);
      const expected = finite.length > 0 ? median(finite) : Number.NaN;
      for (const trace of traces) {
        const got = of(trace)[i];
        const off = Math.abs((got ?? Number.NaN) - expected);
        if (off <= tolerance[kind] * Math.abs(expected) || found.has(trace.label)) continue;
        found.set(
          trace.label,
          `its ${kind} in step ${i + 1} is ${got ?? "missing"}, where most have ${expected.toPrecision(7)}`,
        );
      }
    }
  };
  compare("loss", ({ losses }) => losses);
  compare("norm", ({ norms }) => norms);
  return found;
}
