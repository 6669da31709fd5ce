import { checkOptions } from "@chronograd/autodiff/internal";
import { checkNumber } from "../checks.ts";
import { fromRule, type RuleState } from "./fromRule.ts";
import type { GradientTransformation } from "./transformation.ts";

/** Options of `trace`. */
export interface TraceOptions {
  /** How much of the trace goes into the next one. */
  readonly decay: number;
  /** Looks ahead along the trace; false unless given. */
  readonly nesterov?: boolean;
}

/**
 * A decaying sum of updates, the momentum of `sgd`: `b = decay b + g`, and `b` goes on, or
 * `g + decay b` with `nesterov`.
 *
 * @throws for a decay outside 0 (included) to 1 (excluded)
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { trace } from "@chronograd/nn";
 *
 * const momentum = trace({ decay: 0.5 });
 * const w = tensor([1]);
 * const [, state] = momentum.update(tensor([4]), momentum.init(w), w);
 * const [update] = momentum.update(tensor([1]), state, w);
 * update.toArray(); // => [3]
 * ```
 */
export function trace(options: TraceOptions): GradientTransformation<RuleState<"trace">> {
  checkOptions("trace", options, ["decay", "nesterov"]);
  const { decay, nesterov = false } = options;
  checkNumber(decay, "decay", "trace", 0, 1);
  return fromRule<"trace">({
    name: "trace",
    learningRate: 1,
    moments: ["trace"],
    fused(kernels, { n, w, g, trace: b, t, rate, update }) {
      kernels.sgd(n, w, g, b, t, rate, -1, 0, decay, 0, nesterov ? 1 : 0, update);
    },
    plain({ g, trace: before }) {
      const sum = before.mul(decay).add(g);
      return { update: nesterov ? sum.mul(decay).add(g) : sum, trace: sum };
    },
  });
}
