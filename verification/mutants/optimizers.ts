import { inFile, type Mutant } from "./mutant.ts";

const rules = [
  ...inFile("packages/nn/src/optim/sgd.ts", [
    {
      name: "sgd: uphill",
      kind: "sign",
      find: "vectors.addScaled(direction, -rate, w, next);",
      replace: "vectors.addScaled(direction, rate, w, next);",
    },
    {
      name: "sgd: dampened from the first update",
      kind: "optimizer",
      find: "t === 1 ? 1 : 1 - dampening",
      replace: "1 - dampening",
    },
    {
      name: "sgd: momentum never decays",
      kind: "optimizer",
      find: "vectors.scale(b, momentum, b);",
      replace: "",
    },
    {
      name: "sgd: nesterov's operands swapped",
      kind: "swapped operands",
      find: "vectors.addScaled(b, momentum, direction, s);",
      replace: "vectors.addScaled(direction, momentum, b, s);",
    },
    {
      name: "sgd: weight decay without the gradient's momentum",
      kind: "optimizer",
      find: "vectors.scale(direction, t === 1",
      replace: "vectors.scale(g, t === 1",
    },
  ]),
  ...inFile("packages/nn/src/optim/adaptiveMoments.ts", [
    {
      name: "adam: the average gradient not corrected",
      kind: "optimizer",
      find: "vectors.scale(s, -rate / (1 - this.#beta1 ** t), s);",
      replace: "vectors.scale(s, -rate, s);",
    },
    {
      name: "adam: the average of squares not corrected",
      kind: "optimizer",
      find: "vectors.scale(s, 1 / Math.sqrt(1 - this.#beta2 ** t), s);",
      replace: "",
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
      find: `vectors.scale(s, 1 / Math.sqrt(1 - this.#beta2 ** t), s);
    vectors.offset(s, this.#epsilon, s);`,
      replace: `vectors.offset(s, this.#epsilon, s);
    vectors.scale(s, 1 / Math.sqrt(1 - this.#beta2 ** t), s);`,
    },
    {
      name: "adam: betas exchanged",
      kind: "swapped operands",
      find: "vectors.track(v, this.#beta2, s, s);",
      replace: "vectors.track(v, this.#beta1, s, s);",
    },
    {
      name: "adam: the average of the gradient for that of its square",
      kind: "wrong saved value",
      find: "vectors.square(gradient, s);\n    vectors.track(v",
      replace: "vectors.scale(gradient, 1, s);\n    vectors.track(v",
    },
    {
      name: "adam: amsgrad divides by the latest",
      kind: "stale value reused",
      find: "vectors.sqrt(this.#amsgrad ? largest : v, s);",
      replace: "vectors.sqrt(v, s);",
    },
  ]),
  ...inFile("packages/nn/src/optim/adam.ts", [
    {
      name: "adam: weight decay computed and not used",
      kind: "optimizer",
      find: "gradient = at.u;",
      replace: "",
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
      name: "adamW: steps from the weights before the decay",
      kind: "stale value reused",
      find: "moments.advance(vectors, at, at.g, at.u, rate, t);",
      replace: "moments.advance(vectors, at, at.g, at.w, rate, t);",
    },
  ]),
  ...inFile("packages/nn/src/optim/rmsprop.ts", [
    {
      name: "rmsprop: epsilon under the root",
      kind: "optimizer",
      find: `vectors.sqrt(s, s);
      }
      vectors.offset(s, epsilon, s);`,
      replace: `vectors.offset(s, epsilon, s);
        vectors.sqrt(s, s);
      }`,
    },
    {
      name: "rmsprop: centred on the square of the latest gradient",
      kind: "stale value reused",
      find: "vectors.square(mean, s);",
      replace: "vectors.square(gradient, s);",
    },
    {
      name: "rmsprop: momentum left out of the step",
      kind: "optimizer",
      find: "vectors.addScaled(b, -rate, w, next);",
      replace: "vectors.addScaled(s, -rate, w, next);",
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
      name: "adagrad: the latest square alone",
      kind: "stale value reused",
      find: "vectors.sqrt(sum, s);",
      replace: "vectors.sqrt(s, s);",
    },
  ]),
  ...inFile("packages/nn/src/optim/vectors.ts", [
    {
      name: "optimizers: averages that grow",
      kind: "factor",
      find: "this.scale(x, 1 - beta, s);",
      replace: "this.scale(x, 1, s);",
    },
  ]),
] satisfies Mutant[];

const machinery = [
  ...inFile("packages/nn/src/optim/leafwise.ts", [
    {
      name: "optimizers: moments of the first stretch for all",
      kind: "stale value reused",
      find: "starts[i]! + shift",
      replace: "starts[i]!",
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
