import { inFile, type Mutant } from "./mutant.ts";

const losses = [
  ...inFile("packages/nn/src/losses/reduction.ts", [
    {
      name: "losses: the sum for the mean",
      kind: "mean as sum",
      find: "count === undefined ? losses.mean()",
      replace: "count === undefined ? losses.sum()",
    },
    {
      name: "losses: the mean for the sum",
      kind: "mean as sum",
      find: "return losses.sum();",
      replace: "return losses.mean();",
    },
    {
      name: "losses: ignored targets in the mean's count",
      kind: "mask ignored",
      find: "losses.sum().mul(oneOver(count()))",
      replace: "losses.mean()",
    },
  ]),
  ...inFile("packages/nn/src/losses/crossEntropy.ts", [
    {
      name: "crossEntropy: ignored targets count",
      kind: "mask ignored",
      find: "notEqual(classes, ignoreIndex).cast",
      replace: "classes.equal(classes).cast",
    },
    {
      name: "crossEntropy: targets that are ignored are counted",
      kind: "wrong count",
      find: "notEqual(classes, ignoreIndex).cast",
      replace: "classes.equal(ignoreIndex).cast",
    },
    {
      name: "crossEntropy: ignoreIndex not handed on",
      kind: "mask ignored",
      find: "lossesOf(logits, targets, ignoreIndex)",
      replace: "lossesOf(logits, targets)",
    },
  ]),
  ...inFile("packages/nn/src/losses/binaryCrossEntropy.ts", [
    {
      name: "binaryCrossEntropyFromLogits: t for 1 - t",
      kind: "sign",
      find: "targets.neg().add(1).mul(logits.softplus())",
      replace: "targets.mul(logits.softplus())",
    },
    {
      name: "binaryCrossEntropyFromLogits: the sign of the logits",
      kind: "sign",
      find: "targets.mul(logits.neg().softplus())",
      replace: "targets.mul(logits.softplus())",
    },
  ]),
  ...inFile("packages/nn/src/losses/huber.ts", [
    {
      name: "huber: the half lost",
      kind: "factor",
      find: "m.square().mul(0.5)",
      replace: "m.square()",
    },
    {
      name: "huber: as if delta were 1",
      kind: "factor",
      find: "lessEqual(error.abs(), delta)",
      replace: "lessEqual(error.abs(), 1)",
    },
    {
      name: "huber: of |e|, whose second derivative is lost at 0",
      kind: "lost gradient",
      find: "predictions.sub(targets)",
      replace: "predictions.sub(targets).abs()",
    },
    {
      name: "huber: NaN where the error is infinite",
      kind: "range",
      find: "reduce(m.square().mul(0.5).add(beyond), reduction",
      replace: "reduce(m.mul(error.sub(m.mul(0.5))), reduction",
    },
    {
      name: "huber: a small error lost beside delta",
      kind: "range",
      find: "error.sub(m).abs()",
      replace: "error.abs().sub(m.abs())",
    },
  ]),
  ...inFile("packages/nn/src/losses/gaussian.ts", [
    {
      name: "gaussianNegativeLogLikelihood: times the variance",
      kind: "wrong function",
      find: "v.log().add(square.div(v))",
      replace: "v.log().add(square.mul(v))",
    },
    {
      name: "gaussianNegativeLogLikelihood: the half lost",
      kind: "factor",
      find: ".add(square.div(v)).mul(0.5)",
      replace: ".add(square.div(v))",
    },
    {
      name: "gaussianNegativeLogLikelihood: nothing flows to small variances",
      kind: "lost gradient",
      find: "variance.add(plain.maximum(epsilon).sub(plain))",
      replace: "variance.maximum(epsilon)",
    },
  ]),
  ...inFile("packages/nn/src/losses/meanSquaredError.ts", [
    {
      name: "meanSquaredError: the half of a textbook",
      kind: "factor",
      find: "predictions.sub(targets).square()",
      replace: "predictions.sub(targets).square().mul(0.5)",
    },
  ]),
] satisfies Mutant[];

const layers = [
  ...inFile("packages/nn/src/layers/linear.ts", [
    {
      name: "linear: the bias forgotten",
      kind: "forgotten bias",
      find: "return b === undefined ? y : y.add(b);",
      replace: "return y;",
    },
  ]),
  ...inFile("packages/nn/src/layers/layerNorm.ts", [
    {
      name: "layerNorm: the layer's epsilon is not handed on",
      kind: "wrong function",
      find: "layerNormalize(x, gain, bias, epsilon)",
      replace: "layerNormalize(x, gain, bias)",
    },
    {
      name: "layerNorm: the bias forgotten",
      kind: "forgotten bias",
      find: "layerNormalize(x, gain, bias, epsilon)",
      replace: "layerNormalize(x, gain, bias.mul(0), epsilon)",
    },
  ]),
  ...inFile("packages/nn/src/layers/dropout.ts", [
    {
      name: "dropout: what is kept not scaled up",
      kind: "factor",
      find: "const scale = 1 / (1 - rate);",
      replace: "const scale = 1;",
    },
    {
      name: "dropout: keeps what it should drop",
      kind: "mask ignored",
      find: "rng.bits() < threshold ? 0 : scale",
      replace: "rng.bits() < threshold ? scale : 0",
    },
    {
      name: "dropout: the gradient passes the mask by",
      kind: "mask ignored",
      find: "return x.mul(mask);",
      replace: "return x.add(x.mul(mask).sub(x).detach());",
    },
  ]),
] satisfies Mutant[];

const clip = [
  ...inFile("packages/nn/src/clip/globalNorm.ts", [
    {
      name: "clipByGlobalNorm: each parameter by its own norm",
      kind: "clipping",
      find: "return isSmall ? g : limited(g, norm, maxNorm, home);",
      replace: "return isSmall ? g : limited(g, g.cast('float64').norm(), maxNorm, home);",
    },
    {
      name: "clipByGlobalNorm: not scaled to the limit",
      kind: "clipping",
      find: "limited(g, norm, maxNorm, home)",
      replace: "limited(g, norm, 1, home)",
    },
    {
      name: "clipByGlobalNorm: small gradients blown up",
      kind: "clipping",
      find: "return isSmall ? g : limited(g, norm, maxNorm, home);",
      replace: "return g.mul(maxNorm / norm.item());",
    },
  ]),
  ...inFile("packages/nn/src/clip/norm.ts", [
    {
      name: "clip: the norm of the last parameter",
      kind: "clipping",
      find: "for (const x of filled) kernelsOf(home, x).norm(x.size",
      replace: "for (const x of filled.slice(-1)) kernelsOf(home, x).norm(x.size",
    },
    {
      name: "clip: the sum of the largest magnitudes",
      kind: "clipping",
      find: "(a, b) => a.maximum(b),",
      replace: "(a, b) => a.add(b),",
    },
    {
      name: "clip: a factor in the dtype of the gradient",
      kind: "wrong function",
      find: "kernelsOf(home, x).limitNorm(x.size, x.pointer, norm.pointer, limit, y.pointer);",
      replace:
        "kernelsOf(home, x).scale(x.size, x.pointer, y.pointer, Math.fround(Math.min(1, limit / norm.item())));",
    },
  ]),
  ...inFile("packages/nn/src/clip/clipping.ts", [
    {
      name: "clip: reports the norm after clipping",
      kind: "wrong state",
      find: "{ norm: measured.norm }",
      replace: "{ norm: measured.norm.minimum(0.5) }",
    },
  ]),
  ...inFile("packages/nn/src/clip/perParameter.ts", [
    {
      name: "clipPerParameter: by the norm of all",
      kind: "clipping",
      find: "(g, { home }) =>\n    limited(g, normOf([g], order, home), maxNorm, home)",
      replace: "(g, { home, norm }) =>\n    limited(g, norm, maxNorm, home)",
    },
  ]),
  ...inFile("packages/nn/src/clip/value.ts", [
    {
      name: "clipByValue: from above only",
      kind: "clipping",
      find: "g.maximum(-limit).minimum(limit)",
      replace: "g.minimum(limit)",
    },
  ]),
  ...inFile("packages/nn/src/clip/adaptive.ts", [
    {
      name: "clipAdaptive: a matrix as one unit",
      kind: "wrong axis",
      find: ".slice(0, g.rank > 1 ? -1 : undefined)",
      replace: ".slice(0)",
    },
    {
      name: "clipAdaptive: zero weights never move",
      kind: "clipping",
      find: ".maximum(epsilon).mul(share)",
      replace: ".mul(share)",
    },
  ]),
  ...inFile("packages/nn/src/clip/nonFinite.ts", [
    {
      name: "clip: the norm from before NaN was set to 0",
      kind: "clipping",
      find: "const norm = normOf(mended, order, home);",
      replace: "const norm = normOf(mended.slice(1), order, home);",
    },
  ]),
] satisfies Mutant[];

/** Bugs in losses, layers and clipping. */
export const training: readonly Mutant[] = [...losses, ...layers, ...clip];
