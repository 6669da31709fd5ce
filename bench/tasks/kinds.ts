// What the answers of a task are: the loss that trains them, and the figure that judges them.
import { type Tensor, tensor } from "@chronograd/autodiff";
import { binaryCrossEntropyFromLogits, crossEntropy } from "@chronograd/nn";
import type { StepLoss } from "@chronograd/rnn";
import type { Task } from "./task.ts";

/** The target of one step. */
export interface Target {
  /** `[B, K]` of numbers or bits, `[B]` of classes. */
  readonly value: Tensor;
  /** `[B]`: 1 where there is a loss. */
  readonly weight: Tensor;
}

export interface Kind {
  /** Of the figure: "MSE", "accuracy", "nats". */
  readonly figure: string;
  readonly isBetterHigh: boolean;
  target(values: Float32Array<ArrayBuffer>, rows: number): Tensor;
  /** The loss of a step: the losses of all steps of a sequence add up to their mean. */
  loss(sequence: Pick<Task, "targets" | "answers">): StepLoss<Tensor, Target>;
  /** The figure of answers `[N, outputs]` to targets `[N, K]` with weights `[N]`. */
  judge(answers: ArrayLike<number>, targets: Float32Array, weights: Float32Array): number;
}

/** `losses(output, value)` of a step `[B, K]`, and the number of them that count. */
function weighted(
  { targets, answers }: Pick<Task, "targets" | "answers">,
  losses: (output: Tensor, value: Tensor) => Tensor,
): StepLoss<Tensor, Target> {
  return (output, { value, weight }) => {
    const rows = output.shape[0]!;
    const weights = weight.reshape([rows, 1]);
    const share = 1 / (rows * answers * targets);
    const loss = losses(output, value).reshape([rows, targets]).mul(weights.mul(share));
    return { loss, count: weights.sum() };
  };
}

/** The mean of `term(n, k)` over the targets that count, of `width` each. */
function meanOf(weights: Float32Array, width: number, term: (n: number, k: number) => number) {
  let [sum, count] = [0, 0];
  for (let n = 0; n < weights.length; n++) {
    if (weights[n] === 0) continue;
    for (let k = 0; k < width; k++) sum += term(n, k);
    count += width;
  }
  return sum / count;
}

const matrix = (values: Float32Array<ArrayBuffer>, rows: number): Tensor =>
  tensor(values, { shape: [rows, values.length / rows] });

/** Numbers, by their squared error. */
export const numbers: Kind = {
  figure: "MSE",
  isBetterHigh: false,
  target: matrix,
  loss: (sequence) => weighted(sequence, (y, value) => y.sub(value).square()),
  judge(answers, targets, weights) {
    const width = targets.length / weights.length;
    return meanOf(weights, width, (n, k) => {
      const i = n * width + k;
      return (answers[i]! - targets[i]!) ** 2;
    });
  },
};

/** Bits, by how many of them are right. */
export const bits: Kind = {
  figure: "accuracy",
  isBetterHigh: true,
  target: matrix,
  loss: (sequence) =>
    weighted(sequence, (y, value) => binaryCrossEntropyFromLogits(y, value, { reduction: "none" })),
  judge(answers, targets, weights) {
    const width = targets.length / weights.length;
    return meanOf(weights, width, (n, k) => {
      const i = n * width + k;
      return answers[i]! > 0 === targets[i]! > 0 ? 1 : 0;
    });
  },
};

/** One of several classes, by its negative log-likelihood. */
export const classes: Kind = {
  figure: "nats",
  isBetterHigh: false,
  target: (values) => tensor(Int32Array.from(values)),
  loss: (sequence) =>
    weighted(sequence, (y, value) => crossEntropy(y, value, { reduction: "none" })),
  judge(answers, targets, weights) {
    const width = answers.length / weights.length;
    return meanOf(weights, 1, (n) => {
      let max = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < width; c++) max = Math.max(max, answers[n * width + c]!);
      let sum = 0;
      for (let c = 0; c < width; c++) sum += Math.exp(answers[n * width + c]! - max);
      return max + Math.log(sum) - answers[n * width + targets[n]!]!;
    });
  },
};
