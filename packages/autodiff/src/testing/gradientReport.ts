import type { Blame } from "./blame.ts";
import { relative } from "./verdict.ts";

/**
 * One derivative whose two values differ: of an output element by an input element, or along a
 * direction.
 */
export interface GradientMismatch {
  /** Path and element of the input; for a direction, `"(direction n)"` and -1. */
  readonly path: string;
  readonly index: number;
  /** Path and element of the output; for a random cotangent, `"(cotangent)"` and -1. */
  readonly output: string;
  readonly outputIndex: number;
  /** The sweep that gave the analytic value. */
  readonly sweep: "backward" | "forward";
  /** 2 for a derivative of the gradient. */
  readonly order: 1 | 2;
  readonly analytic: number;
  readonly numeric: number;
  /** The numeric side's estimate of its own error. */
  readonly uncertainty: number;
  /** Both places and numbers in words. */
  readonly message: string;
}

/** What `checkGradients` found. */
export class GradientReport {
  readonly mode: "full" | "directions";
  /** Derivatives compared: in full mode elements of the Jacobian, each in both sweeps. */
  readonly elements: number;
  /** The sweeps that were compared; forward mode is left out where an op has no jvp rule. */
  readonly sweeps: readonly ("backward" | "forward")[];
  /** Largest error, relative to the largest derivative that it stands among. */
  readonly worst: number;
  readonly mismatches: readonly GradientMismatch[];
  /**
   * Derivatives that differences with different steps, or from both sides, contradict each other
   * about: a kink, or ill-conditioned. They are never counted as right.
   */
  readonly undecided: readonly GradientMismatch[];
  /** What is wrong, where something is. */
  readonly blame: Blame | undefined;

  constructor(fields: Omit<GradientReport, "ok" | "toString" | "assert">) {
    this.mode = fields.mode;
    this.elements = fields.elements;
    this.sweeps = fields.sweeps;
    this.worst = fields.worst;
    this.mismatches = fields.mismatches;
    this.undecided = fields.undecided;
    this.blame = fields.blame;
  }

  /** Whether every derivative was compared and found right. */
  get ok(): boolean {
    return this.mismatches.length === 0 && this.undecided.length === 0;
  }

  /** Throws an error with the report's text unless all is right. */
  assert(): void {
    if (!this.ok) throw new Error(this.toString());
  }

  toString(): string {
    const { mismatches, undecided, elements, mode, worst, blame } = this;
    const what =
      mode === "full" ? "elements of the Jacobian" : "derivatives along random directions";
    const by = this.sweeps.includes("forward") ? "" : ", in reverse mode alone: an op has no jvp";
    if (this.ok)
      return `gradients agree: ${elements} ${what}, worst error ${worst.toExponential(1)}${by}`;
    const lines: string[] = [];
    if (mismatches.length > 0) {
      lines.push(`gradients differ: ${mismatches.length} of ${elements} ${what}; the worst:`);
      const order = [...mismatches].sort((a, b) => off(b) - off(a));
      lines.push(...order.slice(0, 3).map(({ message }) => `  ${message}`));
    }
    if (undecided.length > 0) {
      lines.push(`kink or ill-conditioned: ${undecided.length} of ${elements} ${what}; the first:`);
      lines.push(...undecided.slice(0, 3).map(({ message }) => `  ${message}`));
    }
    if (blame !== undefined) lines.push(blame.message);
    return lines.join("\n");
  }
}

function off({ analytic, numeric }: GradientMismatch): number {
  return Math.min(Number.MAX_VALUE, relative(analytic, numeric));
}
