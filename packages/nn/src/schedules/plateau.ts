import { isTensor, scope, type Tensor, tensor, where } from "@chronograd/autodiff";
import { checkOptions, describeTensor } from "@chronograd/autodiff/internal";
import { checkNumber, checkPositive, checkWhole, shown } from "../checks.ts";
import { checkArguments, consumeState, transformation } from "../optim/consumeState.ts";
import { scaledBy } from "../optim/scale.ts";
import { firstTensor } from "../optim/stepCount.ts";
import type { GradientTransformation } from "../optim/transformation.ts";

/** Options of `plateau`. */
export interface PlateauOptions {
  /** What updates are multiplied by at first; 1 unless given. */
  readonly initial?: number;
  /** What that is multiplied by at each cut; 0.1 unless given. */
  readonly factor?: number;
  /** Reports without improvement that are let pass; 10 unless given. */
  readonly patience?: number;
  /**
   * The change, as a share of the best metric, that counts as an improvement; 1e-4 unless given.
   */
  readonly threshold?: number;
  /** Whether smaller metrics are better (`"min"`, unless given) or larger ones (`"max"`). */
  readonly mode?: "min" | "max";
  /** Reports after a cut during which none is counted as bad; 0 unless given. */
  readonly cooldown?: number;
  /** The multiplier never falls below this; 0 unless given. */
  readonly minimum?: number;
}

/** Where a plateau stands, in scalars. */
export interface PlateauState {
  /** What updates are multiplied by; float64. */
  readonly scale: Tensor;
  /** The best metric so far; float64, an infinity before the first report. */
  readonly best: Tensor;
  /** Reports without improvement in a row; int32. */
  readonly badReports: Tensor;
  /** Reports until bad ones count again; int32. */
  readonly cooldownLeft: Tensor;
}

/** A link that multiplies updates by what falls when a metric stops improving. */
export interface Plateau extends GradientTransformation<PlateauState> {
  /**
   * The state after a metric, an epoch's validation loss for example. It consumes the state.
   *
   * @param metric a number or a scalar
   * @throws for NaN
   */
  report(metric: number | Tensor, state: PlateauState): PlateauState;
}

const known = ["initial", "factor", "patience", "threshold", "mode", "cooldown", "minimum"];

/**
 * The last link of a chain, which cuts the updates when a reported metric has not improved for more
 * than `patience` reports. Rules and defaults as PyTorch's `ReduceLROnPlateau`, whose `eps` is 0
 * here; a metric improves when it is better than the best by `threshold |best|`, so metrics may be
 * negative.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { adam, chain, plateau } from "@chronograd/nn";
 *
 * const cut = plateau({ factor: 0.5, patience: 1 });
 * const optimizer = chain({ adam: adam({ learningRate: 0.1 }), cut });
 * let state = optimizer.init({ w: tensor([1, 2]) });
 * for (const loss of [3, 2, 2, 2]) state = { ...state, cut: cut.report(loss, state.cut) };
 * state.cut.scale.item(); // => 0.5
 * ```
 */
export function plateau(options: PlateauOptions = {}): Plateau {
  checkOptions("plateau", options, known);
  const { initial = 1, factor = 0.1, patience = 10, threshold = 1e-4, mode = "min" } = options;
  const { cooldown = 0, minimum = 0 } = options;
  checkNumber(initial, "initial", "plateau");
  checkPositive(factor, "factor", "plateau");
  checkNumber(threshold, "threshold", "plateau");
  checkNumber(minimum, "minimum", "plateau");
  checkWhole(patience, "patience", "plateau", 0);
  checkWhole(cooldown, "cooldown", "plateau", 0);
  if (factor >= 1) throw new RangeError(`plateau: factor must be below 1, got ${factor}`);
  if (mode !== "min" && mode !== "max") {
    throw new TypeError(`plateau: mode must be "min" or "max", got ${JSON.stringify(mode)}`);
  }
  /** By which every metric is turned into one of which smaller ones are better. */
  const sign = mode === "min" ? 1 : -1;

  const after = (metric: Tensor, { scale, best, badReports, cooldownLeft }: PlateauState) => {
    const [left, bad] = [cooldownLeft.cast("float64"), badReports.cast("float64")];
    // Infinity less a share of it would be no number.
    const margin = best.abs().mul(threshold);
    const limit = where(margin.less(Infinity), best.mul(sign).sub(margin), best.mul(sign));
    const improves = metric.mul(sign).less(limit);
    const isCooling = left.greater(0);
    const counted = where(isCooling, 0, where(improves, 0, bad.add(1)));
    const cuts = counted.greater(patience);
    return {
      scale: where(cuts, scale.mul(factor).maximum(minimum).minimum(scale), scale),
      best: where(improves, metric, best),
      badReports: where(cuts, 0, counted).cast("int32"),
      cooldownLeft: where(cuts, cooldown, left.sub(isCooling)).cast("int32"),
    };
  };

  return {
    ...transformation<PlateauState>("plateau", {
      init(params) {
        const backend = firstTensor(params)?.backend;
        const scalar = (value: number, dtype: "float64" | "int32") =>
          tensor(value, { dtype, ...(backend && { backend }) });
        return {
          scale: scalar(initial, "float64"),
          best: scalar(sign * Infinity, "float64"),
          badReports: scalar(0, "int32"),
          cooldownLeft: scalar(0, "int32"),
        };
      },
      step: (updates, state) => [scaledBy(updates, state.scale), state],
    }),
    report(metric, state) {
      const { backend } = state.best;
      checkArguments(state, "the state", "plateau.report");
      const value =
        typeof metric === "number"
          ? tensor(metric, { dtype: "float64", backend })
          : metric?.cast?.("float64");
      // 1, or 1/0 for NaN, which equals nothing.
      const isNumber = () => value.equal(value).reciprocal();
      if (value?.size !== 1 || !scope(() => backend.isFinite(isNumber()))) {
        throw new RangeError(
          `plateau.report: the metric must be a number, got ${isTensor(metric) ? describeTensor(metric) : shown(metric)}`,
        );
      }
      const next = scope(() => after(value.reshape([]), state));
      consumeState(state, next, "plateau.report");
      return next;
    },
  };
}
