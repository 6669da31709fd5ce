import { inFile, type Mutant } from "./mutant.ts";

const segment = inFile("packages/rnn/src/truncated/segment.ts", [
  {
    name: "segment: forgets one step too many",
    kind: "off by one in time",
    find: "this.#forget(this.#t + 1 - this.plan.k2);",
    replace: "this.#forget(this.#t + 2 - this.plan.k2);",
  },
  {
    name: "segment: cuts at every step",
    kind: "lost gradient",
    find: "this.#state = tree.map(stepped.next, (x: Tensor) => this.#asEntry(x)) as Values<State>;",
    replace: "this.#state = tree.map(stepped.next, (x: Tensor) => x.detach()) as Values<State>;",
  },
  {
    name: "segment: a state that is a parameter not cut",
    kind: "boundary not cut",
    find: "this.#state = tree.map(stepped.next, (x: Tensor) => this.#asEntry(x)) as Values<State>;",
    replace: "this.#state = stepped.next;",
  },
  {
    name: "segment: new weights are other parameters",
    kind: "weights of the wrong age",
    find: "this.tape.watch(params, { as: this.#watched })",
    replace: "this.tape.watch(params)",
  },
  {
    name: "segment: the first weights for all windows",
    kind: "weights of the wrong age",
    find: "this.#watched = this.tape.watch(",
    replace: "this.#watched ??= this.tape.watch(",
  },
  {
    name: "segment: losses swept without their weights",
    kind: "wrong weights of losses",
    find: "cotangents.push(full(shape, weight, { dtype, backend }));",
    replace: "cotangents.push(full(shape, 1, { dtype, backend }));",
  },
  {
    name: "segment: the gradient at the cut left out of the measure",
    kind: "off by one in time",
    find: "for (let t = start + 1; measure && t <= this.#t; t++) {",
    replace: "for (let t = start + 2; measure && t <= this.#t; t++) {",
  },
  {
    name: "segment: the loss of the first row alone",
    kind: "missing reduction",
    find: "for (const value of loss.toTypedArray()) sum += value;",
    replace: "sum = loss.toTypedArray()[0] ?? 0;",
  },
  {
    name: "segment: the stored state one step late",
    kind: "off by one in time",
    find: "return t > this.#t ? this.#state : this.#steps.at(t).stateBefore;",
    replace: "return t >= this.#t ? this.#state : this.#steps.at(t + 1).stateBefore;",
  },
]);

const steps = inFile("packages/rnn/src/truncated/step.ts", [
  {
    name: "segment: every loss counts as one token",
    kind: "wrong count",
    find: "{ loss: result, count: result.size }",
    replace: "{ loss: result, count: 1 }",
  },
  {
    name: "segment: a loss's own count ignored",
    kind: "wrong count",
    find: "{ loss: result, count: result.size } : Object(result);",
    replace:
      "{ loss: result, count: result.size } : { loss: result.loss, count: result.loss.size };",
  },
]);

const shares = inFile("packages/rnn/src/truncated/share.ts", [
  {
    name: "window: reaches back one step less",
    kind: "off by one in time",
    find: "const start = Math.max(0, end - plan.k2);",
    replace: "const start = Math.max(0, end - plan.k2 + 1);",
  },
  {
    name: "window: reaches back from its first new step",
    kind: "cut in the wrong place",
    find: "const start = Math.max(0, end - plan.k2);",
    replace: "const start = Math.max(0, newFrom - plan.k2 + plan.k1);",
  },
  {
    name: "window: the overlap left out",
    kind: "cut in the wrong place",
    find: "const start = Math.max(0, end - plan.k2);",
    replace: "const start = newFrom;",
  },
  {
    name: "window: counts the overlap's tokens as new",
    kind: "wrong count",
    find: "for (let t = newFrom + 1; t <= end; t++) count += segment.countAt(t);",
    replace: "for (let t = start + 1; t <= end; t++) count += segment.countAt(t);",
  },
  {
    name: "window: the losses as they are, whatever their mean",
    kind: "mean as sum",
    find: "segment.sweep(meanTerms(objective.terms, tokens), start, measure)",
    replace: "segment.sweep(objective.terms, start, measure)",
  },
]);

const windows = inFile("packages/rnn/src/truncated/window.ts", [
  {
    name: "window: the sum for the mean",
    kind: "mean as sum",
    find: "share.sweep(over(gradientCount),",
    replace: "share.sweep(1,",
  },
  {
    name: "window: the mean over new tokens, whatever losses",
    kind: "wrong count",
    find: "share.sweep(over(gradientCount),",
    replace: "share.sweep(over(count),",
  },
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
    find: "loss: mean(total, over(count)),",
    replace: "loss: total,",
  },
  {
    name: "window: the mean over this worker's tokens",
    kind: "wrong count",
    find: "share.sweep(over(gradientCount),",
    replace: "share.sweep(over(own.gradientCount),",
  },
  {
    name: "window: the gradient of this worker's rows alone",
    kind: "missing reduction",
    find: "communicator.allReduce(swept);",
    replace: "swept;",
  },
  {
    name: "window: the losses of this worker's rows alone",
    kind: "missing reduction",
    find: "communicator.allReduce(own);",
    replace: "own;",
  },
  {
    name: "window: norms of workers added up, not their squares",
    kind: "wrong function",
    find: "communicator.allReduce(swept);",
    replace:
      "communicator.allReduce({ ...swept, squares: swept.squares?.map(Math.sqrt) });\n  for (const i in squares) squares[i as never] **= 2;",
  },
]);

const objective = inFile("packages/rnn/src/truncated/objective.ts", [
  {
    name: "objective: the last old loss counts again",
    kind: "off by one in time",
    find: 'plan.losses === "new" ? newFrom + 1',
    replace: 'plan.losses === "new" ? Math.max(start + 1, newFrom)',
  },
  {
    name: "objective: the first new loss left out",
    kind: "off by one in time",
    find: 'plan.losses === "new" ? newFrom + 1',
    replace: 'plan.losses === "new" ? Math.min(newFrom + 2, end)',
  },
  {
    name: "objective: the endpoint taken for all new losses",
    kind: "wrong losses",
    find: 'plan.losses === "new" ? newFrom + 1',
    replace: 'plan.losses !== "window" ? newFrom + 1',
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
    find: 'plan.losses === "new" ? newFrom + 1',
    replace: 'plan.losses === "new" ? start + 1',
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
    find: "weight: plan.multiplicity ? 1 / windowsWith(t, plan.k1, plan.k2) : 1",
    replace: "weight: 1",
  },
  {
    name: "objective: times the multiplicity",
    kind: "wrong weights of losses",
    find: "1 / windowsWith(t, plan.k1, plan.k2)",
    replace: "windowsWith(t, plan.k1, plan.k2)",
  },
  {
    name: "objective: the mean over steps, not tokens",
    kind: "wrong count",
    find: "count += steps.countAt(t);",
    replace: "count++;",
  },
  {
    name: "objective: the mean over k2 steps",
    kind: "wrong count",
    find: "weight: mean(weight, count)",
    replace: "weight: mean(weight, terms.length)",
  },
]);

const options = inFile("packages/rnn/src/truncated/options.ts", [
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
  {
    name: "planOf: k2 below k1 let through",
    kind: "guard lost",
    find: "if (k2 < k1) {",
    replace: "if (k2 < 1) {",
  },
]);

const modes = [
  ...inFile("packages/rnn/src/truncated/stretch.ts", [
    {
      name: "stretch: today's weights fetched once",
      kind: "weights of the wrong age",
      find: "if (this.#used !== params) segment.use(params);",
      replace: "if (this.#used === undefined) segment.use(params);",
    },
    {
      name: "stretch: new weights one step late",
      kind: "weights of the wrong age",
      find: "if (this.#used !== params) segment.use(params);\n    this.#used = params;\n    return segment.take(step, region);",
      replace:
        "const before = this.#used ?? params;\n    segment.use(before);\n    const loss = segment.take(step, region);\n    segment.use(params);\n    this.#used = params;\n    return loss;",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/carried.ts", [
    {
      name: "carried: the short window at the end left out",
      kind: "off by one in time",
      find: "yield shareOf(current.segment,",
      replace:
        "if (losses.length < plan.k1 && index > 0) return;\n      yield shareOf(current.segment,",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/recomputed.ts", [
    {
      name: "recomputed: the stored state one step early",
      kind: "wrong state",
      find: "store(states, s, current.stateBefore(s + 1));",
      replace: "store(states, s, current.stateBefore(s));",
    },
    {
      name: "recomputed: an old loss among the new ones",
      kind: "off by one in time",
      find: "if (t > newFrom) losses.push(loss);",
      replace: "if (t > newFrom - 1) losses.push(loss);",
    },
    {
      name: "recomputed: starts from the state at the beginning",
      kind: "wrong state",
      find: "new Segment(cell, plan, states.get(start)!.value, start)",
      replace: "new Segment(cell, plan, states.values().next().value!.value, start)",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/deferred.ts", [
    {
      name: "deferred: the last window alone",
      kind: "stale value reused",
      find: '(a.dtype === "int32" ? clone(a) : a.add(b))',
      replace: '(a.dtype === "int32" ? clone(a) : b.add(0))',
    },
    {
      name: "deferred: a mean of means",
      kind: "mean as sum",
      find: "window.sweep(1, false)",
      replace: 'window.sweep(plan.reduction === "mean" ? window.gradientCount : 1, false)',
    },
    {
      name: "deferred: the count of the last window",
      kind: "wrong count",
      find: "gradientCount += window.gradientCount;",
      replace: "gradientCount = window.gradientCount;",
    },
    {
      name: "deferred: never divided",
      kind: "mean as sum",
      find: "const scale = mean(1, tokens);",
      replace: "const scale = tokens > 0 ? 1 : 0;",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/feed.ts", [
    {
      name: "feed: targets one step late",
      kind: "off by one in time",
      find: "target: targets.slice([t]) }",
      replace: "target: targets.slice([Math.max(0, t - 1)]) }",
    },
    {
      name: "feed: the state given ignored",
      kind: "wrong state",
      find: "return plan.state ?? initialState(",
      replace: "return initialState(",
    },
    {
      name: "feed: the last step left out",
      kind: "off by one in time",
      find: "for (let t = 0; t < length; t++) yield",
      replace: "for (let t = 0; t < Math.max(1, length - 1); t++) yield",
    },
  ]),
] satisfies Mutant[];

/** Bugs in truncated back-propagation: where windows are cut, whose losses count, which weights act. */
export const cuts: readonly Mutant[] = [
  ...segment,
  ...steps,
  ...shares,
  ...windows,
  ...objective,
  ...options,
  ...modes,
];
