import { checkInt32 } from "../tensor/dtype.ts";
import { format, sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { cast } from "./cast.ts";
import { notEqual } from "./compare.ts";
import { type Op, type OpDeclaration, op } from "./declare.ts";
import { asIndices, type Indices } from "./indices.ts";
import { kernelsOf } from "./kernels.ts";
import { labelled } from "./labels.ts";
import { logSumExp } from "./reduce.ts";
import { where } from "./select.ts";
import { softmax } from "./softmax.ts";

const crossEntropyDeclaration: OpDeclaration<number> = {
  name: "crossEntropy",
  inputs: ["logits", "targets"],
  accepts([logits, targets]) {
    if (logits!.dtype === "int32" || targets!.dtype !== "int32") {
      throw new TypeError(
        `crossEntropy: expected float logits and int32 targets, got ${logits!.dtype} and ${targets!.dtype}; convert targets with cast(targets, "int32")`,
      );
    }
  },
  shape([logits, targets], ignoreIndex) {
    if (logits!.rank === 0 || !sameShape(logits!.shape.slice(0, -1), targets!.shape)) {
      throw new RangeError(
        `crossEntropy: targets must have the shape of logits without the last axis, got logits ${format(logits!.shape)} and targets ${format(targets!.shape)}`,
      );
    }
    const classes = logits!.shape.at(-1)!;
    const { kernels, memory } = targets!.block.backend;
    const at = kernels.firstOutOfRange(targets!.size, targets!.pointer, 0, classes, ignoreIndex);
    if (at >= 0) {
      throw new RangeError(
        `crossEntropy: target ${memory.views.int32[targets!.pointer / 4 + at]} at position ${at} is not one of the ${classes} classes; expected 0 to ${classes - 1} or ignoreIndex ${ignoreIndex}`,
      );
    }
    return targets!.shape;
  },
  forward(backend, [logits, targets], y, ignoreIndex) {
    kernelsOf(backend, y).crossEntropy(
      y.size,
      logits!.shape.at(-1)!,
      logits!.pointer,
      targets!.pointer,
      ignoreIndex,
      y.pointer,
    );
  },
  residuals: { inputs: [0, 1], output: false },
  vjp: [
    (g, { inputs: [logits, targets], attributes }) =>
      apply(crossEntropyVjpDeclaration, [logits!, targets!, g], attributes),
    { none: "targets are integers: nothing flows through" },
  ],
  jvp([dx], { inputs: [logits, targets], attributes: ignoreIndex }) {
    const counted = notIgnored(targets!, logits!, ignoreIndex);
    return where(counted, slope(logits!, targets!).mul(dx!).sum(-1), 0);
  },
  decomposition([logits, targets], ignoreIndex) {
    const picked = logits!.mul(labels(targets!, logits!)).sum(-1);
    return logSumExp(logits!, -1)
      .sub(picked)
      .mul(notIgnored(targets!, logits!, ignoreIndex));
  },
  samples: [
    {
      label: "[4,3]",
      inputs: [{ shape: [4, 3] }, { shape: [4], integers: [0, 3] }],
      call: ([x, t]) => crossEntropy(x!, t!),
    },
    {
      label: "[2,2,3], class 0 ignored",
      inputs: [{ shape: [2, 2, 3] }, { shape: [2, 2], integers: [0, 3] }],
      call: ([x, t]) => crossEntropy(x!, t!, 0),
    },
  ],
};

function labels(targets: Tensor, logits: Tensor): Tensor {
  const dtype = logits.dtype === "float64" ? "float64" : "float32";
  return labelled(targets, logits.shape.at(-1)!, dtype);
}

/** 1 for targets that count, 0 for ignored ones. */
function notIgnored(targets: Tensor, logits: Tensor, ignoreIndex: number): Tensor {
  return cast(notEqual(targets, ignoreIndex), logits.dtype);
}

/** The derivative of each row's loss by its logits. */
function slope(logits: Tensor, targets: Tensor): Tensor {
  return softmax(logits).sub(labels(targets, logits));
}

const crossEntropyVjpDeclaration: OpDeclaration<number> = {
  name: "crossEntropyVjp",
  inputs: ["logits", "targets", "g"],
  accepts: () => {},
  shape: ([logits]) => logits!.shape,
  forward(backend, [logits, targets, g], y, ignoreIndex) {
    kernelsOf(backend, y).crossEntropyVjp(
      targets!.size,
      logits!.shape.at(-1)!,
      logits!.pointer,
      targets!.pointer,
      ignoreIndex,
      g!.pointer,
      y.pointer,
    );
  },
  residuals: { inputs: [0, 1, 2], output: false },
  vjp(h, { inputs: [logits, targets, g], attributes: ignoreIndex }, input) {
    const counted = notIgnored(targets!, logits!, ignoreIndex);
    if (input === 2) return where(counted, slope(logits!, targets!).mul(h).sum(-1), 0);
    // The softmax is the only part that varies with the logits.
    const p = softmax(logits!);
    const weighted = h.mul(g!.expandDims(-1));
    const slopes = p.mul(weighted.sub(weighted.mul(p).sum(-1, { keepDims: true })));
    return where(counted.expandDims(-1), slopes, 0);
  },
  jvp([dx, , dg], { inputs: [logits, targets, g], attributes: ignoreIndex }) {
    const counted = notIgnored(targets!, logits!, ignoreIndex).expandDims(-1);
    const p = softmax(logits!);
    const byLogits =
      dx && p.mul(dx.sub(dx.mul(p).sum(-1, { keepDims: true }))).mul(g!.expandDims(-1));
    const byG = dg && slope(logits!, targets!).mul(dg.expandDims(-1));
    return where(counted, byLogits && byG ? byLogits.add(byG) : (byLogits ?? byG)!, 0);
  },
  samples: [],
};

/**
 * `-log softmax(logits)[target]` for each row: the losses that `crossEntropy` of `@chronograd/nn`
 * reduces.
 *
 * @param logits unnormalised scores `[..., C]`
 * @param targets class numbers `[...]`, int32, from 0 to C - 1, or `ignoreIndex`
 * @param ignoreIndex targets of this value give a loss of 0 and no gradient; -100 unless given
 * @throws when the shapes do not match or a target is not a class
 *
 * @example
 * ```ts
 * import { grad, tensor } from "@chronograd/autodiff";
 * import { crossEntropy } from "@chronograd/autodiff/internal";
 *
 * const logits = tensor([[0, 0], [0, 0]]);
 * const bits = crossEntropy(logits, [1, 0]).div(Math.LN2);
 * bits.toArray(); // => [1, 1]
 * // An ignored target costs nothing, and nothing flows back from it.
 * const slope = grad((x) => crossEntropy(x, [1, -100]).sum());
 * slope(logits).toArray(); // => [[0.5, -0.5], [0, 0]]
 * ```
 */
export const crossEntropy: Op<(logits: Tensor, targets: Indices, ignoreIndex?: number) => Tensor> =
  op(
    crossEntropyDeclaration,
    (logits: Tensor, targets: Indices, ignoreIndex = -100) => {
      checkInt32([ignoreIndex], "crossEntropy: ignoreIndex");
      const classes =
        targets instanceof Tensor ? targets : asIndices(targets, logits, "crossEntropy");
      return apply(crossEntropyDeclaration, [logits, classes], ignoreIndex);
    },
    1,
  );
