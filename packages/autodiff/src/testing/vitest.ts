/**
 * A matcher for Vitest: `expect(f).toHaveCorrectGradients(inputs)`.
 *
 * @packageDocumentation
 */
import "../ops/fluent.ts";
import type {} from "vitest";
import { type CheckOptions, checkGradients } from "./checkGradients.ts";

/** What a matcher returns. */
export interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

/** Matchers to hand to `expect.extend`. */
export type GradientMatchers = {
  toHaveCorrectGradients(f: unknown, inputs: unknown, options?: CheckOptions): MatcherResult;
};

/**
 * The matcher `toHaveCorrectGradients(inputs, options)`, to be added once, in a set-up file or a
 * test.
 *
 * @example
 * ```ts
 * import { expect } from "vitest";
 * import { type Tensor, tensor } from "@chronograd/autodiff";
 * import { gradientMatchers } from "@chronograd/autodiff/testing/vitest";
 *
 * expect.extend(gradientMatchers);
 * const x = tensor([0.3, -1], { dtype: "float64" });
 * expect((z: Tensor) => z.tanh()).toHaveCorrectGradients(x);
 * expect((z: Tensor) => z.mul(z.detach())).not.toHaveCorrectGradients(x);
 * ```
 */
export const gradientMatchers: GradientMatchers = {
  toHaveCorrectGradients(f, inputs, options = {}) {
    if (typeof f !== "function") {
      throw new TypeError(
        `toHaveCorrectGradients: expected a function of tensors, got a ${typeof f}; write expect(f), not expect(f(x))`,
      );
    }
    const report = checkGradients(f as (inputs: unknown) => unknown, inputs, options);
    return { pass: report.ok, message: () => report.toString() };
  },
};

declare module "vitest" {
  // Vitest's own parameters: the type that an assertion returns, and that of the value.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /**
     * Holds the function's gradients at some inputs, a tree of float64 tensors, to central
     * differences.
     */
    toHaveCorrectGradients(inputs: unknown, options?: CheckOptions): R;
  }
}
