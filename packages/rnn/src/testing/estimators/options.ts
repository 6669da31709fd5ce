import type { Tensor } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "../../cell.ts";
import type { StreamOptions } from "../../truncated/options.ts";
import type { TimeStep } from "../../truncated/step.ts";
import type { CheckedWindow } from "../truncated/options.ts";

/** What an estimator claims of the sum of its windows' gradients. */
export type EstimatorClaim = "exact" | "unbiased";

/** A window of an estimator to check; what it tells beside its gradients is checked too. */
export interface EstimatedWindow<Params = unknown, State = unknown>
  extends Pick<CheckedWindow<Params>, "gradients" | "losses" | "end"> {
  /** The state after step `end`. */
  readonly state?: State;
}

/**
 * An estimator to check, with the arguments of `truncated` and a generator of its own for each run.
 */
export type CheckedEstimator<Params, State, X, Y, Target> = (
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  stream: readonly TimeStep<X, Target>[],
  options: Pick<StreamOptions<State, Y, Target>, "loss" | "state" | "rng">,
  draws: Rng,
) => Iterable<EstimatedWindow<Values<Params>, Values<State>>>;

/** What is checked, on what, and how closely. */
export interface CheckEstimatorOptions<Params, State, X = Tensor, Y = Tensor, Target = Tensor>
  extends Pick<StreamOptions<State, Y, Target>, "loss" | "state"> {
  /** The estimator. */
  readonly windows: CheckedEstimator<Params, State, X, Y, Target>;
  /**
   * `"exact"`: one run gives the gradient of full back-propagation. `"unbiased"`: the mean over all
   * draws does.
   */
  readonly claim: EstimatorClaim;
  /** Heads the report; `"estimator"` unless given. */
  readonly name?: string;
  /** The parameters, used as float64; random in every element unless given. */
  readonly params?: Values<Params>;
  /** How many steps of the stream to use, at most; all unless given. */
  readonly steps?: number;
  /** Largest error of an exact gradient, beside its largest element; 1e-10 unless given. */
  readonly tolerance?: number;
  /** Runs of an estimator that claims to be unbiased; 200 unless given. */
  readonly runs?: number;
  /**
   * How likely it may be that an unbiased estimator is found wrong by chance, in a whole check;
   * 0.001 unless given.
   */
  readonly falseAlarms?: number;
  /** Seed of the parameters and of all draws; 1 unless given. */
  readonly seed?: number;
  /** Throws an error with the report's text unless everything is right. */
  readonly throws?: boolean;
}
