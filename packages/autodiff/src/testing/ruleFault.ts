import { describeSite, indexOf, type Site } from "../passes/site.ts";

/** A derivative rule that differs from the differences of its op. */
export interface RuleFault extends Site {
  /** Which rule is wrong. */
  readonly rule: "vjp" | "accumulate" | "jvp";
  /** 2 where the rule's value is right, but its own derivative is not. */
  readonly order: 1 | 2;
  /** The input whose cotangent is wrong; for a jvp rule, the output. */
  readonly of: string;
  /**
   * For order 2: what the rule was differentiated by, an input, or the cotangent or tangent it is
   * given.
   */
  readonly by?: string;
  readonly shape: readonly number[];
  /** Position of the worst element in it. */
  readonly index: number;
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic - numeric| relative to the larger of both. */
  readonly error: number;
  /** The rule's own exception, if it threw one. */
  readonly threw?: string;
}

/** A rule in words. */
export function ruleOf({ rule, of, op, order, by }: RuleFault): string {
  const subject = rule === "jvp" ? `the jvp of ${op}` : `the ${rule} of ${op} by ${of}`;
  return order === 1
    ? subject
    : `the second derivative of ${op}, of ${subject} by ${by ?? "its inputs"},`;
}

/** One wrong rule in words. */
export function describeFault(fault: RuleFault): string {
  const { of, shape, index, analytic, numeric, error, threw, order, by = of } = fault;
  const [where, subject] = [describeSite(fault), ruleOf(fault)];
  if (threw !== undefined) return `${subject} throws: ${threw}: ${where}`;
  return `${subject} is wrong: ${where}; worst element ${order === 2 ? by : of}${indexOf(index, shape)}: analytic ${analytic}, numeric ${numeric}, relative error ${error.toExponential(1)}`;
}
