import { inFile, type Mutant } from "./mutant.ts";

const rules = [
  ...inFile("packages/nn/src/optim/sgd.ts", [
    {
      name: "sgd: uphill",
      kind: "sign",
      find: "nesterov ? 1 : 0, -rate, next",
      replace: "nesterov ? 1 : 0, rate, next",
    },
    {
      name: "sgd: dampened from the first update",
      kind: "optimizer",
      find: "t === 1 ? 1 : 1 - dampening",
      replace: "1 - dampening",
    },
    {
      name: "sgd: the momentum doubled",
      kind: "optimizer",
      find: "b, weightDecay, momentum, rest,",
      replace: "b, weightDecay, 2 * momentum, rest,",
    },
    {
      name: "sgd: nesterov without looking ahead",
      kind: "optimizer",
      find: "nesterov ? 1 : 0",
      replace: "0",
    },
    {
      name: "sgd: weight decay forgotten",
      kind: "forgotten term",
      find: "b, weightDecay, momentum",
      replace: "b, 0, momentum",
    },
  ]),
  ...inFile("packages/nn/src/optim/adaptiveMoments.ts", [
    {
      name: "adam: the average gradient not corrected",
      kind: "optimizer",
      find: "-rate / (1 - this.#beta1 ** t),",
      replace: "-rate,",
    },
    {
      name: "adam: the average of squares not corrected",
      kind: "optimizer",
      find: "1 / Math.sqrt(1 - this.#beta2 ** t),",
      replace: "1,",
    },
    {
      name: "adam: corrected for one update too many",
      kind: "off by one in time",
      find: "(1 - this.#beta1 ** t)",
      replace: "(1 - this.#beta1 ** (t + 1))",
    },
    {
      name: "adam: epsilon before the correction",
      kind: "optimizer",
      find: "      this.#epsilon,\n      -rate",
      replace: "      this.#epsilon / Math.sqrt(1 - this.#beta2 ** t),\n      -rate",
    },
    {
      name: "adam: betas exchanged",
      kind: "swapped operands",
      find: "      this.#beta2,\n      1 - this.#beta2,",
      replace: "      this.#beta1,\n      1 - this.#beta1,",
    },
    {
      name: "adam: averages that grow",
      kind: "factor",
      find: "      1 - this.#beta1,\n",
      replace: "      1,\n",
    },
    {
      name: "adam: the average of squares in the place of the average gradient",
      kind: "aliased memory",
      find: "      m,\n      v,\n",
      replace: "      m,\n      m,\n",
    },
    {
      name: "adam: amsgrad divides by the latest",
      kind: "stale value reused",
      find: "this.#amsgrad ? 1 : 0",
      replace: "0",
    },
  ]),
  ...inFile("packages/nn/src/optim/adam.ts", [
    {
      name: "adam: weight decay not handed on",
      kind: "optimizer",
      find: "{ decay: weightDecay, shrink: 1 }",
      replace: "{ decay: 0, shrink: 1 }",
    },
  ]),
  ...inFile("packages/nn/src/optim/adamW.ts", [
    {
      name: "adamW: decay without the rate",
      kind: "optimizer",
      find: "1 - rate * weightDecay",
      replace: "1 - weightDecay",
    },
    {
      name: "adamW: decay through the gradient",
      kind: "optimizer",
      find: "{ decay: 0, shrink: 1 - rate * weightDecay }",
      replace: "{ decay: weightDecay, shrink: 1 }",
    },
  ]),
  ...inFile("packages/nn/src/optim/rmsprop.ts", [
    {
      name: "rmsprop: centred on nothing",
      kind: "forgotten term",
      find: "centered ? 1 : 0",
      replace: "0",
    },
    {
      name: "rmsprop: averages that grow",
      kind: "factor",
      find: "        1 - smoothing,",
      replace: "        1,",
    },
    {
      name: "rmsprop: momentum left out of the step",
      kind: "optimizer",
      find: "        momentum,\n        -rate,",
      replace: "        0,\n        -rate,",
    },
  ]),
  ...inFile("packages/nn/src/optim/adagrad.ts", [
    {
      name: "adagrad: the rate decays from the first update",
      kind: "off by one in time",
      find: "(t - 1) * learningRateDecay",
      replace: "t * learningRateDecay",
    },
    {
      name: "adagrad: weight decay forgotten",
      kind: "forgotten term",
      find: "sum, weightDecay, epsilon",
      replace: "sum, 0, epsilon",
    },
  ]),
] satisfies Mutant[];

const machinery = [
  ...inFile("packages/nn/src/optim/leafwise.ts", [
    {
      name: "optimizers: one moment for all names",
      kind: "stale value reused",
      find: "this.#moments.pointer(path, name)",
      replace: "this.#moments.pointer(path, this.#rule.moments[0]!)",
    },
    {
      name: "optimizers: moments start from 0 whatever the rule says",
      kind: "wrong state",
      find: "this.#rule.start ?? 0",
      replace: "0",
    },
    {
      name: "optimizers: the schedule one update ahead",
      kind: "off by one in time",
      find: "const rate = learningRate(this.#step);",
      replace: "const rate = learningRate(this.#step + 1);",
    },
    {
      name: "optimizers: counts on after reset",
      kind: "wrong state",
      find: "this.#moments.clear();\n    this.#step = 0;",
      replace: "this.#moments.clear();",
    },
    {
      name: "optimizers: a loaded state starts counting again",
      kind: "wrong state",
      find: "this.#step = step;",
      replace: "this.#step = 0;",
    },
  ]),
  ...inFile("packages/nn/src/optim/moments.ts", [
    {
      name: "optimizers: one name's moments saved for all",
      kind: "wrong saved value",
      find: "result.push([keyOf(name, path), clone(moments[name]!)]);",
      replace: "result.push([keyOf(name, path), clone(moments[this.#names[0]!]!)]);",
    },
  ]),
  ...inFile("packages/nn/src/optim/applyUpdates.ts", [
    {
      name: "applyUpdates: subtracts",
      kind: "sign",
      find: "return x.add(update).clone();",
      replace: "return x.sub(update).clone();",
    },
  ]),
] satisfies Mutant[];

/** Bugs in optimizers. */
export const optimizers: readonly Mutant[] = [...rules, ...machinery];
