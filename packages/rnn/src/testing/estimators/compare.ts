import { type Tensor, tree } from "@chronograd/autodiff";
import { indexOf, nameOf } from "../tally.ts";
import { studentQuantile } from "./interval.ts";
import { Moments } from "./moments.ts";
import type { EstimatorClaim } from "./options.ts";
import type { ParameterResult } from "./report.ts";

/** How estimates are held to a gradient. */
interface Bounds {
  readonly claim: EstimatorClaim;
  readonly tolerance: number;
  readonly falseAlarms: number;
}

type Gradient = ReadonlyMap<string, Float64Array>;

/**
 * Estimates beside the gradient by definition: each derivative, and each parameter's estimate along
 * its gradient, which adds up what is small in every element. An unbiased one must lie within an
 * interval of Student's distribution at `falseAlarms` divided by all comparisons (Bonferroni), so
 * that one of them errs with at most that probability, as far as means are normal.
 */
export function compareEstimates(
  params: unknown,
  truth: Gradient,
  estimates: readonly Gradient[],
  { claim, tolerance, falseAlarms }: Bounds,
): ParameterResult[] {
  const all = [...truth.values()];
  const scale = Math.max(...all.map((g) => g.reduce((most, x) => Math.max(most, Math.abs(x)), 0)));
  const comparisons = all.reduce((sum, g) => sum + g.length + 1, 0);
  const { length: runs } = estimates;
  const bound =
    claim === "exact" ? tolerance : studentQuantile(falseAlarms / comparisons, runs - 1);
  const floats = tree.leavesWithPath<Tensor>(params).filter(([path]) => truth.has(path));
  return floats.map(([path, parameter]) => {
    const g = truth.get(path)!;
    const square = g.reduce((sum, x) => sum + x * x, 0);
    const moments = new Moments(g.length + 1);
    for (const estimate of estimates) {
      const x = estimate.get(path)!;
      moments.add([...x, square === 0 ? 1 : x.reduce((sum, v, i) => sum + v * g[i]!, 0) / square]);
    }
    const along = moments.mean[g.length]!;
    const failures: string[] = [];
    let worst = 0;
    for (const [i, found] of moments.mean.entries()) {
      const isAlong = i === g.length;
      const [expected, size] = isAlong
        ? [1, square === 0 ? 1 : scale / Math.sqrt(square)]
        : [g[i]!, scale];
      const difference = Math.abs(found - expected);
      const rounding = tolerance * size;
      // Rounding is no evidence, however small the variance is.
      const beyond = claim === "exact" ? difference / size : Math.max(0, difference - rounding);
      const error = claim === "exact" ? beyond : beyond === 0 ? 0 : beyond / moments.errorAt(i);
      worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
      if (error <= bound) continue;
      const name = isAlong
        ? `${nameOf("params", path)} along its gradient`
        : `d/d ${nameOf("params", path)}${indexOf(i, parameter)}`;
      const apart =
        claim === "exact"
          ? `${found}, expected ${expected}`
          : `the mean is ${found}, expected ${expected}: ${error.toFixed(1)} standard errors apart, and chance allows ${bound.toFixed(1)}`;
      // What is wrong along the gradient says most, and stands first.
      failures[isAlong ? "unshift" : "push"](`${name}: ${apart}`);
    }
    return { path, elements: g.length, worst, bound, along, failures };
  });
}
