import { concat, scope, type Tensor, tensor, valueAndGrad } from "@chronograd/autodiff";
import { adam, applyUpdates, init } from "@chronograd/nn";
import { defineCell, unroll } from "@chronograd/rnn";
import { checkOptions } from "../checkOptions.ts";
import { checkOrigins, checkSeason, checkValues } from "./checks.ts";
import type { Forecaster } from "./forecaster.ts";

/** Shares between 0 and 1. */
export interface Smoothing {
  /** Of an error that moves the level. */
  readonly alpha: number;
  /** Of the level's move that moves the trend. */
  readonly beta: number;
  /** Of the rest of an error that moves the season. */
  readonly gamma: number;
}

/** Holt-Winters, fitted. */
export interface HoltWinters extends Forecaster {
  readonly smoothing: Smoothing;
}

/** `log(p / (1 - p))`, from where a sigmoid comes back to p. */
const logit = (p: number) => Math.log(p / (1 - p));
const starts = [0.1, 0.5].flatMap((alpha) =>
  [0.01, 0.1].flatMap((beta) => [0.05, 0.4].map((gamma) => ({ alpha, beta, gamma }))),
);

/**
 * Exponential smoothing as a cell, with parameters `[rows, 1]` for each row:
 * `e = x - (l + b + s)`, `l' = l + b + alpha e`, `b' = b + beta alpha e`,
 * `s' = s + gamma (1 - alpha) e`. The first of the season's m values is that of the next step.
 */
const smoother = defineCell({
  sizes: ["rows", "season"],
  params: ({ rows }: { readonly rows: number; readonly season: number }) => ({
    alpha: init.zeros(rows, 1),
    beta: init.zeros(rows, 1),
    gamma: init.zeros(rows, 1),
  }),
  state: ({ season }) => ({
    level: init.zeros(1),
    trend: init.zeros(1),
    season: init.zeros(season),
  }),
  step: ({ alpha, beta, gamma }, x: Tensor, { level, trend, season }, sizes) => {
    const [now, others] = season.split([1, sizes.season - 1], -1);
    const error = x.sub(level).sub(trend).sub(now!);
    const toLevel = error.mul(alpha);
    const next = {
      level: level.add(trend).add(toLevel),
      trend: trend.add(toLevel.mul(beta)),
      season: concat([others!, now!.add(error.sub(toLevel).mul(gamma))], -1),
    };
    return [{ error, ...next }, next];
  },
});

/** The errors and states from the second season on; the first one gives the state before. */
function smoothed(
  cell: ReturnType<typeof smoother>,
  values: Float64Array,
  season: number,
  shares: Record<keyof Smoothing, Tensor>,
) {
  const rows = shares.alpha.shape[0]!;
  const mean = (from: number) =>
    values.subarray(from, from + season).reduce((sum, x) => sum + x, 0) / season;
  const level = mean(0);
  const alike = (row: Float64Array) =>
    tensor(row, { shape: [1, row.length] }).broadcastTo([rows, row.length]);
  const state = {
    level: alike(Float64Array.of(level)),
    trend: alike(Float64Array.of((mean(season) - level) / season)),
    season: alike(values.slice(0, season).map((x) => x - level)),
  };
  const inputs = tensor(values.slice(season), { shape: [values.length - season, 1, 1] });
  const each = inputs.broadcastTo([values.length - season, rows, 1]);
  return unroll(cell, shares, each, { state, compile: true });
}

/**
 * Additive Holt-Winters: a level, a trend and a season, smoothed (Holt 1957, Winters 1960). The
 * three shares make the squared errors of one step least: the recursion is a recurrent cell, and
 * Adam follows its gradients from eight beginnings at once.
 *
 * @param values at least two seasons, to which it is fitted
 * @param options the steps m of a season, at least 2, and how many iterations Adam does
 *
 * @example
 * ```ts
 * import { holtWinters } from "chronograd/forecast";
 *
 * const values = Float64Array.from({ length: 24 }, (_, t) => t + [5, 0, -5, 0][t % 4]!);
 * const [next] = holtWinters(values, { season: 4, iterations: 1 }).forecast(values, [24], 4);
 * [...next!].map(Math.round); // => [29, 25, 21, 27]
 * ```
 */
export function holtWinters(
  values: Float64Array,
  options: { readonly season: number; readonly iterations?: number },
): HoltWinters {
  checkOptions("holtWinters", options, ["season", "iterations"]);
  const { season, iterations = 100 } = options;
  checkSeason(season, "holtWinters", 2);
  checkValues(values, "holtWinters");
  if (values.length < 2 * season + 1) {
    throw new RangeError(
      `holtWinters: ${values.length} values are less than two seasons of ${season} and one more; take a shorter season`,
    );
  }
  const smoothing = fitted(values, season, iterations);
  const cell = smoother({ rows: 1, season });
  return {
    name: "Holt-Winters",
    smoothing,
    forecast(series, origins, horizon) {
      checkOrigins(series, origins, horizon, 2 * season, "holtWinters");
      const last = Math.max(...origins);
      return scope(() => {
        const { outputs } = smoothed(cell, series.subarray(0, last), season, {
          alpha: tensor([[smoothing.alpha]], { dtype: "float64" }),
          beta: tensor([[smoothing.beta]], { dtype: "float64" }),
          gamma: tensor([[smoothing.gamma]], { dtype: "float64" }),
        });
        const [level, trend] = [outputs.level, outputs.trend].map((each) => each.toTypedArray());
        const seasons = outputs.season.toTypedArray();
        return origins.map((t) => {
          const at = t - 1 - season;
          return Float64Array.from(
            { length: horizon },
            (_, h) => level![at]! + (h + 1) * trend![at]! + seasons[at * season + (h % season)]!,
          );
        });
      });
    },
  };
}

function fitted(values: Float64Array, season: number, iterations: number): Smoothing {
  const spread = Math.max(...values) - Math.min(...values) || 1;
  const scaled = values.map((x) => x / spread);
  const column = (of: (start: Smoothing) => number) =>
    tensor(
      Float64Array.from(starts, (start) => logit(of(start))),
      { shape: [starts.length, 1] },
    );
  let params = {
    alpha: column(({ alpha }) => alpha),
    beta: column(({ beta }) => beta),
    gamma: column(({ gamma }) => gamma),
  };
  type Params = typeof params;
  const sharesOf = ({ alpha, beta, gamma }: Params) => ({
    alpha: alpha.sigmoid(),
    beta: beta.sigmoid(),
    gamma: gamma.sigmoid(),
  });
  // The sum over rows: each has its own parameters, so each has its own gradient.
  const cell = smoother({ rows: starts.length, season });
  const squares = (p: Params) =>
    smoothed(cell, scaled, season, sharesOf(p)).outputs.error.square().mean(0);
  const lossOf = valueAndGrad((p: Params) => squares(p).sum());
  const optimizer = adam({ learningRate: 0.1 });
  let state = optimizer.init(params);
  for (let i = 0; i < iterations; i++) {
    [params, state] = scope(() => {
      const [, gradients] = lossOf(params);
      const [updates, next] = optimizer.update(gradients, state, params);
      return [applyUpdates(params, updates), next];
    });
  }
  return scope(() => {
    const best = squares(params).argmin(0).item();
    const shares = sharesOf(params);
    const share = (key: keyof Smoothing) => shares[key].toTypedArray()[best]!;
    return { alpha: share("alpha"), beta: share("beta"), gamma: share("gamma") };
  });
}
