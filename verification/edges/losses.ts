import { logSoftmax, logSumExp, softmax, type Tensor, zeros } from "@chronograd/autodiff";
import {
  binaryCrossEntropyFromLogits,
  crossEntropy,
  gaussianNegativeLogLikelihood,
  huber,
  meanSquaredError,
} from "@chronograd/nn";
import { Big } from "./big.ts";
import { logistic, sigmoid, tanh } from "./functions.ts";
import { moderate, ofDifference, type Partials, rows, type Surface } from "./surfaces.ts";

const zero = Big.of(0);
const one = Big.of(1);
const two = Big.of(2);
const column = (x: Tensor): Tensor => x.slice([null, 0]);

/** Exponentials of rounded differences, and `1 - p` after cancellation. */
function ofExponentials(a: Big, b: Big): Partials {
  const spread = a.sub(b).abs().add(1);
  const [p, q] = [sigmoid(a.sub(b)), sigmoid(b.sub(a))];
  const both = p.isLess(q) ? p : q;
  const bent = both.mul(spread);
  return [p.add(bent), q.add(bent), one.add(bent), one.add(bent), one.add(bent)];
}

/** Functions of exponentials of two numbers, and losses. */
export const losses: readonly Surface[] = [
  {
    name: "logSumExp",
    f: (a, b) => logSumExp(rows(a, b), -1),
    partials(a, b) {
      const s = logistic(a.sub(b));
      return [sigmoid(a.sub(b)), sigmoid(b.sub(a)), s, s.neg(), s];
    },
    areAlike: true,
    slack: ofExponentials,
  },
  {
    name: "softmax",
    f: (a, b) => column(softmax(rows(a, b))),
    partials(a, b) {
      const d = a.sub(b);
      return ofDifference(
        logistic(d),
        logistic(d)
          .mul(tanh(d.div(2)))
          .neg(),
      );
    },
    areAlike: true,
    slack: ofExponentials,
  },
  {
    name: "logSoftmax",
    f: (a, b) => column(logSoftmax(rows(a, b))),
    partials: (a, b) => ofDifference(sigmoid(b.sub(a)), logistic(a.sub(b)).neg()),
    areAlike: true,
    slack: ofExponentials,
  },
  {
    name: "crossEntropy",
    f: (a, b) => crossEntropy(rows(a, b), new Array<number>(a.size).fill(0), { reduction: "none" }),
    partials: (a, b) => ofDifference(sigmoid(b.sub(a)).neg(), logistic(a.sub(b))),
    areAlike: true,
    slack: ofExponentials,
  },
  {
    name: "huber",
    f: (a, b) => huber(a, b, { delta: 2, reduction: "none" }),
    partials(a, b) {
      const e = a.sub(b);
      if (e.abs().isLess(2)) return ofDifference(e, one);
      return ofDifference(e.sign < 0 ? two.neg() : two, zero);
    },
    domain: moderate,
    areAlike: true,
  },
  {
    name: "meanSquaredError",
    f: (a, b) => meanSquaredError(a, b, { reduction: "none" }),
    partials: (a, b) => ofDifference(a.sub(b).mul(2), two),
    domain: moderate,
  },
  {
    // By the logit and by the target.
    name: "binaryCrossEntropyFromLogits",
    f: (a, b) => binaryCrossEntropyFromLogits(a, b, { reduction: "none" }),
    partials: (a, b) => [sigmoid(a).sub(b), a.neg(), logistic(a), one.neg(), zero],
    domain: moderate,
    // t sigmoid(-x) and (1 - t) sigmoid(x) are added up, and so are t softplus(-x) and its like.
    slack: (a, b) => {
      const size = b.abs().add(1);
      return [size, a.abs().add(1), size, one, zero];
    },
  },
  {
    // By the mean and the variance, the target being 0.
    name: "gaussianNegativeLogLikelihood",
    f: (a, b) =>
      gaussianNegativeLogLikelihood(a, b.abs(), zeros(a.shape, { dtype: a.dtype }), {
        epsilon: Number.MIN_VALUE,
        reduction: "none",
      }),
    partials(a, b) {
      const inverse = one.div(b);
      const ratio = a.mul(a).mul(inverse);
      return [
        a.mul(inverse),
        inverse.sub(ratio.mul(inverse)).div(2),
        inverse,
        a.mul(inverse).mul(inverse).neg(),
        inverse.mul(inverse).mul(ratio.sub(0.5)),
      ];
    },
    // Where squares and cubes stay within the range.
    domain: (a, b, largest) =>
      b.sign > 0 &&
      [a, b].every((x) => {
        const square = x.mul(x).mul(x).mul(x).mul(16);
        return square.isLess(largest) && one.isLess(square.mul(largest));
      }),
    // log v and a^2/v are derived apart.
    slack(a, b) {
      const inverse = one.div(b);
      const sum = inverse.add(a.mul(a).mul(inverse).mul(inverse));
      return [zero, sum, zero, zero, sum.mul(inverse)];
    },
  },
];
