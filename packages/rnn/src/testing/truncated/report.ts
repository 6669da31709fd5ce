import type { Losses, LossReduction, Stale } from "../../truncated/options.ts";

/** A window whose gradient is not that of its surrogate, or that is wrong in another way. */
export interface WindowFailure {
  /** Windows before this one. */
  readonly index: number;
  /** The span by definition: s_j, e_{j-1}, e_j. */
  readonly start: number;
  readonly newFrom: number;
  readonly end: number;
  /**
   * Where the largest error is: the parameter, its element (-1 for a direction), and both numbers.
   */
  readonly path?: string;
  readonly element?: number;
  readonly analytic?: number;
  readonly numeric?: number;
  /** What was found, in words. */
  readonly message: string;
  /**
   * A short name of the diagnosis, the same for the same mistake in all windows; empty where there
   * is none.
   */
  readonly kind: string;
  /**
   * The one mistake that explains it, in words; empty where nothing but the message can be said.
   */
  readonly diagnosis: string;
}

/** What became of one mode. */
export interface ModeResult {
  readonly stale: Stale;
  readonly losses: Losses;
  readonly multiplicity: boolean;
  readonly reduction: LossReduction;
  /** Windows compared. */
  readonly windows: number;
  /** Derivatives compared. */
  readonly cases: number;
  /** Largest relative error. */
  readonly worst: number;
  /** Derivatives whose differences contradict each other: never counted as right. */
  readonly undecided: number;
  readonly failures: readonly WindowFailure[];
}

/** What `checkTruncated` found. */
export class TruncationReport {
  readonly subject: string;
  readonly k1: number;
  readonly k2: number;
  /** Time steps that were used. */
  readonly steps: number;
  readonly modes: readonly ModeResult[];

  constructor(
    subject: string,
    { k1, k2, steps }: { readonly k1: number; readonly k2: number; readonly steps: number },
    modes: readonly ModeResult[],
  ) {
    this.subject = subject;
    this.k1 = k1;
    this.k2 = k2;
    this.steps = steps;
    this.modes = modes;
  }

  /** Whether every window of every mode was compared and found right. */
  get ok(): boolean {
    return this.modes.every(isRight);
  }

  /** Throws an error with the report's text unless everything is right. */
  assert(): void {
    if (!this.ok) throw new Error(this.toString());
  }

  /** One line per mode, and below a broken one what is wrong and why. */
  toString(): string {
    const broken = this.modes.filter((mode) => !isRight(mode)).length;
    const verdict =
      broken === 0
        ? `all ${this.modes.length} modes right`
        : `${broken} of ${this.modes.length} modes wrong`;
    const head = `${this.subject}, k1 ${this.k1}, k2 ${this.k2}, ${this.steps} steps: ${verdict}`;
    return [head, ...this.modes.flatMap(linesOf)].join("\n");
  }
}

function isRight({ failures, undecided }: ModeResult): boolean {
  return failures.length === 0 && undecided === 0;
}

function linesOf(mode: ModeResult): string[] {
  const { stale, multiplicity, reduction, windows, cases, worst, undecided, failures } = mode;
  const losses = multiplicity ? "window/multiplicity" : mode.losses;
  const verdict = failures.length > 0 ? "WRONG    " : undecided > 0 ? "UNDECIDED" : "ok       ";
  const setting = `${stale.padEnd(9)}  ${losses.padEnd(19)}  ${reduction.padEnd(4)}`;
  const lines = [
    `  ${verdict} ${setting}  ${windows} windows, ${cases} derivatives, worst ${worst.toExponential(1)}`,
  ];
  if (undecided > 0) {
    lines.push(
      `    ${undecided} derivatives undecided: differences contradict each other, at a kink or where the model is ill-conditioned`,
    );
  }
  for (const { message, diagnosis } of failures.slice(0, 4)) {
    lines.push(`    ${message}`);
    if (diagnosis !== "") lines.push(`      ${diagnosis}`);
  }
  if (failures.length > 4) lines.push(`    and ${failures.length - 4} more`);
  return lines;
}
