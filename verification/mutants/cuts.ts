import { inFile, type Mutant } from "./mutant.ts";

const steps = inFile("packages/rnn/src/truncated/countedLoss.ts", [
  {
    name: "tape: every loss counts as one token",
    kind: "wrong count",
    find: "return { loss, count: loss.size };",
    replace: "return { loss, count: 1 };",
  },
  {
    name: "tape: a loss's own count ignored",
    kind: "wrong count",
    find: "if (count !== undefined) return { loss, count };",
    replace: "if (count !== undefined) return { loss, count: loss.size };",
  },
]);

const localWindows = inFile("packages/rnn/src/truncated/estimators/estimator.ts", [
  {
    name: "window: reaches back one step less",
    kind: "off by one in time",
    find: "const start = Math.max(engine.start, end - k2);",
    replace: "const start = Math.max(engine.start, end - k2 + 1);",
  },
  {
    name: "window: reaches back from its first new step",
    kind: "cut in the wrong place",
    find: "const start = Math.max(engine.start, end - k2);",
    replace: "const start = Math.max(engine.start, newFrom - k2 + k1);",
  },
  {
    name: "window: the overlap left out",
    kind: "cut in the wrong place",
    find: "const start = Math.max(engine.start, end - k2);",
    replace: "const start = newFrom;",
  },
  {
    name: "window: counts the overlap's tokens as new",
    kind: "wrong count",
    find: "for (let t = newFrom + 1; t <= end; t++) count +=",
    replace: "for (let t = start + 1; t <= end; t++) count +=",
  },
  {
    name: "window: the losses as they are, whatever their mean",
    kind: "mean as sum",
    find: "engine.sweep(means, start, measure)",
    replace: "engine.sweep(terms, start, measure)",
  },
  {
    name: "estimator: the state given ignored",
    kind: "wrong state",
    find: "return given ?? startOf(",
    replace: "return startOf(",
  },
]);

const agreement = inFile("packages/rnn/src/truncated/agreement.ts", [
  {
    name: "window: the sum for the mean",
    kind: "mean as sum",
    find: 'reduction === "mean" ? counts.gradientCount : 1',
    replace: "1",
  },
  {
    name: "window: the mean over new tokens, whatever losses",
    kind: "wrong count",
    find: "? counts.gradientCount : 1",
    replace: "? counts.count : 1",
  },
  {
    name: "window: the mean over this worker's tokens",
    kind: "wrong count",
    find: "? counts.gradientCount : 1",
    replace: "? gradientCount : 1",
  },
  {
    name: "window: the gradient of this worker's rows alone",
    kind: "missing reduction",
    find: "communicator.allReduce(whole)",
    replace: "whole",
  },
  {
    name: "window: the losses of this worker's rows alone",
    kind: "missing reduction",
    find: "communicator.allReduce({ losses, count, gradientCount })",
    replace: "({ losses, count, gradientCount })",
  },
  {
    name: "window: norms of workers added up, not their squares",
    kind: "wrong function",
    find: "return { ...counts, ...communicator.allReduce(whole) };",
    replace:
      "const sums = communicator.allReduce({ ...whole, squares: whole.squares?.map(Math.sqrt) });\n  for (const i in sums.squares) sums.squares[i as never] **= 2;\n  return { ...counts, ...sums };",
  },
]);

const windows = inFile("packages/rnn/src/truncated/window.ts", [
  {
    name: "window: squares for norms",
    kind: "wrong function",
    find: "squares.map(Math.sqrt)",
    replace: "[...squares]",
  },
  {
    name: "window: reports new tokens for those of its gradient",
    kind: "wrong count",
    find: "gradientCount,\n    reduction,",
    replace: "gradientCount: count,\n    reduction,",
  },
  {
    name: "window: the loss logged as a sum",
    kind: "mean as sum",
    find: 'reduction === "mean" ? mean(total, count) : total',
    replace: "total",
  },
]);

const objective = inFile("packages/rnn/src/truncated/estimators/estimator.ts", [
  {
    name: "objective: the last old loss counts again",
    kind: "off by one in time",
    find: 'which === "new" ? newFrom + 1',
    replace: 'which === "new" ? Math.max(start + 1, newFrom)',
  },
  {
    name: "objective: the first new loss left out",
    kind: "off by one in time",
    find: 'which === "new" ? newFrom + 1',
    replace: 'which === "new" ? Math.min(newFrom + 2, end)',
  },
  {
    name: "objective: the endpoint taken for all new losses",
    kind: "wrong losses",
    find: 'which === "new" ? newFrom + 1',
    replace: 'which !== "window" ? newFrom + 1',
  },
  {
    name: "objective: the whole window taken for its new losses",
    kind: "wrong losses",
    find: ": start + 1;",
    replace: ": newFrom + 1;",
  },
  {
    name: "objective: new losses taken for the whole window",
    kind: "wrong losses",
    find: 'which === "new" ? newFrom + 1',
    replace: 'which === "new" ? start + 1',
  },
  {
    name: "objective: the endpoint left out of the window",
    kind: "off by one in time",
    find: "for (let t = first; t <= end; t++) {",
    replace: "for (let t = first; t < Math.max(end, first + 1); t++) {",
  },
  {
    name: "objective: multiplicity ignored",
    kind: "wrong weights of losses",
    find: "weight: multiplicity ? 1 / windowsWith(t - burnIn, k1, k2) : 1",
    replace: "weight: 1",
  },
  {
    name: "objective: times the multiplicity",
    kind: "wrong weights of losses",
    find: "1 / windowsWith(t - burnIn, k1, k2)",
    replace: "windowsWith(t - burnIn, k1, k2)",
  },
  {
    name: "objective: the mean over steps, not tokens",
    kind: "wrong count",
    find: "gradientCount += engine.countAt(t);",
    replace: "gradientCount++;",
  },
  {
    name: "objective: the mean over k2 steps",
    kind: "wrong count",
    find: "weight: mean(weight, tokens)",
    replace: "weight: mean(weight, terms.length)",
  },
  {
    name: "windowsWith: rounded down",
    kind: "wrong weights of losses",
    find: "return Math.ceil((t + k2) / k1) - Math.ceil(t / k1);",
    replace: "return Math.floor((t + k2) / k1) - Math.floor(t / k1);",
  },
  {
    name: "windowsWith: as if k1 divided k2",
    kind: "wrong weights of losses",
    find: "return Math.ceil((t + k2) / k1) - Math.ceil(t / k1);",
    replace: "return Math.ceil(k2 / k1);",
  },
]);

const options = inFile("packages/rnn/src/truncated/options.ts", [
  {
    name: "options: k2 below k1 let through",
    kind: "guard lost",
    find: "if (k2 < k1) {",
    replace: "if (k2 < 1) {",
  },
]);

const modes = [
  ...inFile("packages/rnn/src/truncated/engines/tape.ts", [
    {
      name: "tape: today's weights fetched once",
      kind: "weights of the wrong age",
      find: "if (this.#used !== params) {",
      replace: "if (this.#used === undefined) {",
    },
    {
      name: "tape: new weights one step late",
      kind: "weights of the wrong age",
      find: "return steps.map((step) => this.#takeOne(step));",
      replace:
        "const now = this.#watched;\n    this.#watched = this.late ?? now;\n    this.late = now;\n    const losses = steps.map((step) => this.#takeOne(step));\n    this.#watched = now;\n    return losses;",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/estimators/carry.ts", [
    {
      name: "carry: the short window at the end left out",
      kind: "off by one in time",
      find: "const window = localWindow(engine,",
      replace:
        "if (losses.length < k1 && engine.t > k1) return;\n      const window = localWindow(engine,",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/estimators/recompute.ts", [
    {
      name: "recompute: the stored state one step early",
      kind: "wrong state",
      find: "store(states, t, () => current.state);",
      replace: "store(states, t + 1, () => current.state);",
    },
    {
      name: "recompute: an old loss among the new ones",
      kind: "off by one in time",
      find: "if (t > newFrom) losses.push(loss!);",
      replace: "if (t > newFrom - 1) losses.push(loss!);",
    },
    {
      name: "recompute: starts from the state at the beginning",
      kind: "wrong state",
      find: "tapeEngine(cell, own, states.get(start)!.value, start",
      replace: "tapeEngine(cell, own, states.values().next().value!.value, start",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/estimators/defer.ts", [
    {
      name: "defer: the last window alone",
      kind: "stale value reused",
      find: ": addGradients(sums[shard]!, gradient),",
      replace: ": (tree.map(gradient, (g: Tensor) => clone(g)) as typeof gradient),",
    },
    {
      name: "defer: a mean of means",
      kind: "mean as sum",
      find: "window.gradients(1, false)",
      replace: 'window.gradients(settings.reduction === "mean" ? window.gradientCount : 1, false)',
    },
    {
      name: "defer: the count of the last window",
      kind: "wrong count",
      find: "gradientCount += window.gradientCount;",
      replace: "gradientCount = window.gradientCount;",
    },
    {
      name: "defer: never divided",
      kind: "mean as sum",
      find: "const scale = mean(1, tokens);",
      replace: "const scale = tokens > 0 ? 1 : 0;",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/stream.ts", [
    {
      name: "source: targets one step late",
      kind: "off by one in time",
      find: "target: targets.slice([t - 1]) as Target",
      replace: "target: targets.slice([Math.max(0, t - 2)]) as Target",
    },
    {
      name: "source: the last step left out",
      kind: "off by one in time",
      find: "for (let t = 1; t <= length; t++) {",
      replace: "for (let t = 1; t <= Math.max(1, length - 1); t++) {",
    },
  ]),
] satisfies Mutant[];

/**
 * Bugs in truncated back-propagation: where windows are cut, whose losses count, which weights act.
 */
export const cuts: readonly Mutant[] = [
  ...steps,
  ...localWindows,
  ...agreement,
  ...windows,
  ...objective,
  ...options,
  ...modes,
];
