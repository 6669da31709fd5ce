import type { EstimatorClaim } from "./options.ts";

/** What became of one parameter. */
export interface ParameterResult {
  readonly path: string;
  readonly elements: number;
  /**
   * The largest difference: of an exact gradient beside the largest derivative; of an unbiased one
   * in standard errors.
   */
  readonly worst: number;
  /** What `worst` may be. */
  readonly bound: number;
  /** The mean gradient along the one by definition, as a part of it: 1 where they agree. */
  readonly along: number;
  /** What is wrong, in words. */
  readonly failures: readonly string[];
}

/** What `checkEstimator` found. */
export class EstimatorReport {
  readonly subject: string;
  readonly claim: EstimatorClaim;
  readonly runs: number;
  /** Time steps that were used. */
  readonly steps: number;
  /** How likely an unbiased estimator would have been found wrong by chance. */
  readonly falseAlarms: number;
  readonly parameters: readonly ParameterResult[];
  /** What is wrong with losses, states and windows, in words. */
  readonly failures: readonly string[];

  constructor(
    subject: string,
    settings: Pick<EstimatorReport, "claim" | "runs" | "steps" | "falseAlarms">,
    parameters: readonly ParameterResult[],
    failures: readonly string[],
  ) {
    this.subject = subject;
    this.claim = settings.claim;
    this.runs = settings.runs;
    this.steps = settings.steps;
    this.falseAlarms = settings.falseAlarms;
    this.parameters = parameters;
    this.failures = failures;
  }

  /** Whether the gradients by all parameters, all losses and all states are right. */
  get ok(): boolean {
    return this.failures.length === 0 && this.parameters.every(isRight);
  }

  /** Throws an error with the report's text unless everything is right. */
  assert(): void {
    if (!this.ok) throw new Error(this.toString());
  }

  /** One line per parameter, and below a wrong one what is wrong. */
  toString(): string {
    const wrong = this.parameters.filter((each) => !isRight(each)).length;
    const { length } = this.parameters;
    const ofParameters =
      wrong === 0 ? `all ${length} parameters right` : `${wrong} of ${length} parameters wrong`;
    const verdict =
      this.failures.length === 0 ? ofParameters : "wrong, and its gradients were not compared";
    const chance =
      this.claim === "exact" ? "" : `, ${this.runs} runs, false alarms ${this.falseAlarms}`;
    return [
      `${this.subject}, ${this.claim}, ${this.steps} steps${chance}: ${verdict}`,
      ...this.failures.map((failure) => `  WRONG  ${failure}`),
      ...this.parameters.flatMap((each) => linesOf(each, this.claim)),
    ].join("\n");
  }
}

const isRight = ({ failures }: ParameterResult): boolean => failures.length === 0;

function linesOf(result: ParameterResult, claim: EstimatorClaim): string[] {
  const { path, elements, worst, bound, along, failures } = result;
  const verdict = isRight(result) ? "ok   " : "WRONG";
  const difference =
    claim === "exact"
      ? `${worst.toExponential(1)} of ${bound.toExponential(0)}`
      : `${worst.toFixed(1)} of ${bound.toFixed(1)} standard errors`;
  return [
    `  ${verdict}  ${path || "the parameter"}  ${elements} derivatives, worst ${difference}, ${along.toFixed(3)} of the gradient`,
    ...failures.slice(0, 4).map((failure) => `    ${failure}`),
    ...(failures.length > 4 ? [`    and ${failures.length - 4} more`] : []),
  ];
}
