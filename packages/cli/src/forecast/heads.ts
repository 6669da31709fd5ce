import { concat, type Tensor } from "@chronograd/autodiff";
import { gaussianNegativeLogLikelihood, quantileLoss } from "@chronograd/nn";
import { meanOf } from "../data/moments.ts";

/** Numbers for each step of a horizon: a middle, and scales of what lies below and above it. */
export interface Spread {
  readonly mean: readonly number[];
  readonly below: readonly number[];
  readonly above: readonly number[];
}

/** What a network says about each step: how it is trained, and how it is read. */
export interface Head {
  /** Outputs for each step of the horizon. */
  readonly outputs: number;
  /** The loss of outputs `[B, outputs H]` for targets `[B, H]`. */
  loss(outputs: Tensor, targets: Tensor): Tensor;
  /** The spread that several networks' outputs `[outputs H]` for one window have together. */
  read(networks: readonly ArrayLike<number>[], horizon: number): Spread;
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/**
 * A normal distribution: its mean and the logarithm of its variance. Several are a mixture, with
 * the mean and the variance that it has (Lakshminarayanan et al. 2017, deep ensembles).
 */
const gaussian: Head = {
  outputs: 2,
  loss(outputs, targets) {
    const [mean, logVariance] = outputs.split(2, -1);
    return gaussianNegativeLogLikelihood(mean!, logVariance!.exp(), targets);
  },
  read(networks, horizon) {
    const mean = range(horizon).map((h) => meanOf(networks.map((of) => of[h]!)));
    const deviation = mean.map((middle, h) => {
      const squares = networks.map((of) => Math.exp(of[horizon + h]!) + of[h]! ** 2);
      return Math.sqrt(meanOf(squares) - middle ** 2);
    });
    return { mean, below: deviation, above: deviation };
  },
};

/** `log(1 + exp(x))`, as the op computes it. */
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/**
 * The median and the distances to the quantiles 0.1 and 0.9, which cannot cross: no shape is
 * assumed, and the sides may differ. Those of several networks are averaged.
 */
const quantiles: Head = {
  outputs: 3,
  loss(outputs, targets) {
    const [median, below, above] = outputs.split(3, -1).map((x) => x.reshape([...x.shape, 1]));
    const three = [median!.sub(below!.softplus()), median!, median!.add(above!.softplus())];
    return quantileLoss(concat(three, -1), targets, [0.1, 0.5, 0.9]);
  },
  read(networks, horizon) {
    const averages = (part: number, of: (x: number) => number) =>
      range(horizon).map((h) => meanOf(networks.map((each) => of(each[part * horizon + h]!))));
    return {
      mean: averages(0, (x) => x),
      below: averages(1, softplus),
      above: averages(2, softplus),
    };
  },
};

/** The heads by name. */
export const heads: Readonly<Record<"gaussian" | "quantiles", Head>> = { gaussian, quantiles };
