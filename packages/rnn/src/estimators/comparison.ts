import type { Tensor } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "../cell.ts";
import type { StreamOptions } from "../truncated/options.ts";
import type { StepSource } from "../truncated/stream.ts";
import type { Window } from "../truncated/window.ts";

/** What a comparison hands on to each estimator. */
export type SharedOptions<State, Y, Target> = Pick<
  StreamOptions<State, Y, Target>,
  "loss" | "state" | "rng"
>;

/**
 * Starts the windows of an estimator, with the arguments of `truncated` and a generator of its own
 * for each run; see the example of `compareEstimators`.
 */
export type EstimatorWindows<Params, State, X, Y, Target> = (
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  stream: StepSource<X, Target>,
  options: SharedOptions<State, Y, Target>,
  draws: Rng,
) => Iterable<ComparedWindow<Values<Params>, Values<State>>>;

/** What a window must tell to be compared; whatever `truncated` yields does. */
export type ComparedWindow<Params, State> = Pick<Window<Params, State>, "gradients" | "losses"> &
  Partial<Pick<Window<Params, State>, "reduction">>;

/** An estimator to compare: its name in the table, and its windows. */
export interface NamedEstimator<Params, State, X = Tensor, Y = Tensor, Target = Tensor> {
  readonly name: string;
  readonly windows: EstimatorWindows<Params, State, X, Y, Target>;
}

/** Full back-propagation through time over the stretch, which the estimators are held to. */
export interface FullGradient {
  /** Euclidean norm of the gradient by all parameters. */
  readonly norm: number;
  /** The sum of all losses. */
  readonly loss: number;
  /** Of the second run. */
  readonly seconds: number;
  /** The most memory that a run used, beyond what was in use before it. */
  readonly peakBytes: number;
}

/**
 * What an estimator's gradient of the stretch is, beside the gradient g of full back-propagation:
 * the estimate of a run is the sum of its windows' gradients.
 */
export interface EstimatorRow {
  readonly name: string;
  /** Whether it drew nothing from the generator it was given: two runs were enough then. */
  readonly isDeterministic: boolean;
  /** Runs, each with draws of its own. */
  readonly runs: number;
  /** Windows of a run, on average. */
  readonly windows: number;
  /** Norm of the difference between the mean estimate and g. */
  readonly bias: number;
  /** How large `bias` is expected to be by chance alone: sqrt(variance / runs). */
  readonly biasError: number;
  /** The variance of an estimate, added up over all parameters: the trace of its covariance. */
  readonly variance: number;
  /** `bias`, `biasError` and the root of `variance`, each divided by the norm of g. */
  readonly relative: {
    readonly bias: number;
    readonly biasError: number;
    readonly deviation: number;
  };
  /** Cosine of the angle between an estimate and g, on average over the runs. */
  readonly cosine: number;
  /** That of the mean estimate. */
  readonly cosineOfMean: number;
  /** The median of the runs after the first. */
  readonly seconds: number;
  /** The most memory that a run used, beyond what was in use before it. */
  readonly peakBytes: number;
}

/** One table for one cell on one stretch: plain data, which `JSON.stringify` writes whole. */
export interface EstimatorComparison {
  /** Time steps of the stretch. */
  readonly steps: number;
  /** Numbers in the parameters, those of whole numbers left out. */
  readonly parameters: number;
  readonly full: FullGradient;
  readonly estimators: readonly EstimatorRow[];
}

/** How estimators are compared. */
export interface CompareOptions<State, Y = Tensor, Target = Tensor>
  extends SharedOptions<State, Y, Target> {
  /** Runs of each estimator that draws; 32 unless given. */
  readonly repeats?: number;
  /** Seed of all draws of the estimators; 1 unless given. */
  readonly seed?: number;
}
