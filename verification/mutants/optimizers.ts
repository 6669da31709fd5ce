import { inFile, type Mutant } from "./mutant.ts";

const rules = [
  ...inFile("packages/nn/src/optim/sgd.ts", [
    {
      name: "sgd: uphill where a tape looks on",
      kind: "sign",
      find: "update: direction.mul(rate).neg(), momentum",
      replace: "update: direction.mul(rate), momentum",
    },
    {
      name: "sgd: dampened from the first update, on a tape",
      kind: "optimizer",
      find: "t.greater(1).mul(-dampening)",
      replace: "t.greater(0).mul(-0.5)",
    },
    {
      name: "sgd: the momentum doubled",
      kind: "optimizer",
      find: "weightDecay, momentum, dampening, ahead, update",
      replace: "weightDecay, 2 * momentum, dampening, ahead, update",
    },
    {
      name: "sgd: nesterov without looking ahead",
      kind: "optimizer",
      find: "const ahead = nesterov ? 1 : 0;",
      replace: "const ahead = 0;",
    },
    {
      name: "sgd: weight decay forgotten",
      kind: "forgotten term",
      find: "rate, factor, weightDecay, momentum",
      replace: "rate, factor, 0, momentum",
    },
  ]),
  ...inFile("packages/nn/src/optim/adaptiveMoments.ts", [
    {
      name: "adam: an average not corrected, on a tape",
      kind: "optimizer",
      find: "return t.mul(0).add(beta).pow(t).neg().add(1);",
      replace: "return t.mul(0).add(1);",
    },
    {
      name: "adam: corrected for one update too many, on a tape",
      kind: "off by one in time",
      find: ".add(beta).pow(t)",
      replace: ".add(beta).pow(t.add(1))",
    },
    {
      name: "adam: betas exchanged",
      kind: "swapped operands",
      find: "        beta1,\n        beta2,\n",
      replace: "        beta2,\n        beta1,\n",
    },
    {
      name: "adam: averages that grow, on a tape",
      kind: "factor",
      find: ".add(d.mul(1 - beta1))",
      replace: ".add(d)",
    },
    {
      name: "adam: the average of squares in the place of the average gradient",
      kind: "aliased memory",
      find: "        m,\n        rms,\n",
      replace: "        m,\n        m,\n",
    },
    {
      name: "adam: amsgrad divides by the latest",
      kind: "stale value reused",
      find: "const max = amsgrad ? 1 : 0;",
      replace: "const max = 0;",
    },
    {
      name: "adam: decay beside the gradient and in it exchanged",
      kind: "swapped operands",
      find: "        decay,\n        drift,\n",
      replace: "        drift,\n        decay,\n",
    },
  ]),
  ...inFile("packages/nn/src/optim/adam.ts", [
    {
      name: "adam: weight decay not handed on",
      kind: "optimizer",
      find: "decay: options.weightDecay ?? 0, drift: 0",
      replace: "decay: 0, drift: 0",
    },
  ]),
  ...inFile("packages/nn/src/optim/adamW.ts", [
    {
      name: "adamW: decay through the gradient",
      kind: "optimizer",
      find: "{ decay: 0, drift: options.weightDecay ?? 0.01 }",
      replace: "{ decay: options.weightDecay ?? 0.01, drift: 0 }",
    },
  ]),
  ...inFile("packages/nn/src/optim/rmsprop.ts", [
    {
      name: "rmsprop: centred on nothing",
      kind: "forgotten term",
      find: "const center = centered ? 1 : 0;",
      replace: "const center = 0;",
    },
    {
      name: "rmsprop: the deviation from the mean after the update, on a tape",
      kind: "off by one in time",
      find: "d.sub(before.mean).mul(keep * rest)",
      replace: "d.sub(before.mean).mul(rest)",
    },
    {
      name: "rmsprop: momentum left out of the step",
      kind: "optimizer",
      find: "        epsilon,\n        momentum,\n",
      replace: "        epsilon,\n        0,\n",
    },
  ]),
  ...inFile("packages/nn/src/optim/adagrad.ts", [
    {
      name: "adagrad: the rate decays twice as fast",
      kind: "optimizer",
      find: "const decay = learningRateDecay;",
      replace: "const decay = 2 * learningRateDecay;",
    },
    {
      name: "adagrad: weight decay forgotten",
      kind: "forgotten term",
      find: "factor, weightDecay, decay",
      replace: "factor, 0, decay",
    },
    {
      name: "adagrad: starts from squares where roots are kept",
      kind: "wrong state",
      find: "start: Math.sqrt(initialAccumulator)",
      replace: "start: initialAccumulator",
    },
  ]),
  ...inFile("packages/autodiff/src/kernels/update.ts", [
    {
      name: "optimizers: squares that overflow",
      kind: "wrong function",
      find: "const root = Math.hypot(Math.sqrt(round(keep)) * a, Math.sqrt(round(rest)) * b);",
      replace: "const root = Math.sqrt(round(keep) * a * a + round(rest) * b * b);",
    },
  ]),
] satisfies Mutant[];

const machinery = [
  ...inFile("packages/nn/src/optim/fromRule.ts", [
    {
      name: "optimizers: one moment for all names",
      kind: "stale value reused",
      find: "at[rule.moments[i]!] = moment.pointer;",
      replace: "at[rule.moments[i]!] = next[0]!.at(-1)!.pointer;",
    },
    {
      name: "optimizers: moments start from 0 whatever the rule says",
      kind: "wrong state",
      find: "full(shape, start, { dtype, backend })",
      replace: "full(shape, 0, { dtype, backend })",
    },
    {
      name: "optimizers: NaN gradients are taken in",
      kind: "guard lost",
      find: "      checkFinite(\n",
      replace: "      (() => {})(\n",
    },
    {
      name: "optimizers: moments that others hold are written to",
      kind: "aliased memory",
      find: "isLast && isApart ? donate(x, by) : x.clone()",
      replace: "isLast && isApart ? donate(x, by) : donate(x, by)",
    },
  ]),
  ...inFile("packages/nn/src/optim/stepCount.ts", [
    {
      name: "optimizers: the number of updates stands still",
      kind: "wrong state",
      find: "backend.memory.views.int32[step.pointer / 4]! + 1",
      replace: "backend.memory.views.int32[step.pointer / 4]! + 0",
    },
    {
      name: "optimizers: two updates counted in what is compiled",
      kind: "wrong state",
      find: '.add(1).cast("int32")',
      replace: '.add(2).cast("int32")',
    },
  ]),
  ...inFile("packages/nn/src/optim/consumeState.ts", [
    {
      name: "optimizers: a state from outside is consumed while a function is recorded",
      kind: "stale value reused",
      find: "if (isTracing()) checkArguments(state,",
      replace: "if (false as boolean) checkArguments(state,",
    },
  ]),
  ...inFile("packages/nn/src/optim/chain.ts", [
    {
      name: "chain: every link takes the gradients",
      kind: "wrong state",
      find: "        updates = moved;\n",
      replace: "        if (i === entries.length - 1) updates = moved;\n",
    },
    {
      name: "chain: the first link's state for all",
      kind: "wrong state",
      find: "const own = before?.[name];",
      replace: "const own = before?.[entries[0]![0]];",
    },
  ]),
  ...inFile("packages/nn/src/optim/applyUpdates.ts", [
    {
      name: "applyUpdates: subtracts",
      kind: "sign",
      find: "kernelsOf(home, next).add(",
      replace: "kernelsOf(home, next).sub(",
    },
    {
      name: "applyUpdates: subtracts where a tape looks on",
      kind: "sign",
      find: "const sums = leaves.map(({ w, g }) => w.add(g));",
      replace: "const sums = leaves.map(({ w, g }) => w.sub(g));",
    },
  ]),
  ...inFile("packages/nn/src/optim/leaves.ts", [
    {
      name: "optimizers: one tensor at two places",
      kind: "guard lost",
      find: "seen.set(w, path);",
      replace: "",
    },
  ]),
  ...inFile("packages/nn/src/schedules/schedule.ts", [
    {
      name: "schedules: one update ahead",
      kind: "off by one in time",
      find: "rate(from.item());",
      replace: "rate(from.item() + 1);",
    },
    {
      name: "schedules: a rate that a tape tracks is read off as a number",
      kind: "guard lost",
      find: "return scalar.tape === null ? scalar.item()",
      replace: "return scalar.tape !== undefined ? scalar.item()",
    },
    {
      name: "schedules: a plan asks a function of plain numbers once",
      kind: "stale value reused",
      find: "if (backend.parent === null) return tensor(rate(step.item())",
      replace: "if (backend !== null) return tensor(rate(0)",
    },
  ]),
  ...inFile("packages/nn/src/schedules/plateau.ts", [
    {
      name: "plateau: a share of the best metric, whatever its sign",
      kind: "wrong function",
      find: "best.abs().mul(threshold)",
      replace: "best.mul(threshold)",
    },
    {
      name: "plateau: larger metrics are better in both modes",
      kind: "sign",
      find: 'const sign = mode === "min" ? 1 : -1;',
      replace: "const sign = -1;",
    },
  ]),
  ...inFile("packages/nn/src/rng/rng.ts", [
    {
      name: "streams: a plan repeats a draw",
      kind: "stale value reused",
      find: "    refuseTracing(\n",
      replace: "    (() => {})(\n",
    },
  ]),
] satisfies Mutant[];

const compiled = [
  ...inFile("packages/autodiff/src/tensor/successors.ts", [
    {
      name: "consume: what was consumed is not marked",
      kind: "stale value reused",
      find: "  block.consumed ??= by;\n",
      replace: "",
    },
  ]),
] satisfies Mutant[];

/** Bugs in optimizers, and in what their steps consume. */
export const optimizers: readonly Mutant[] = [...rules, ...machinery, ...compiled];
