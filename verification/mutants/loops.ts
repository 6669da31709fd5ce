import { inFile, type Mutant } from "./mutant.ts";

const schedule = inFile("packages/rnn/src/loop/reversal.ts", [
  {
    name: "loops: the sequence is always split in half",
    kind: "cut in the wrong place",
    find: "return Math.min(reach(states, times - 1), length - reach(states - 1, times - 1));",
    replace: "return Math.ceil(length / 2);",
  },
  {
    name: "loops: one state fewer is kept",
    kind: "off by one",
    find: "while (end - at > 1 && kept.length < states) {",
    replace: "while (end - at > 1 && kept.length < states - 1) {",
  },
  {
    name: "loops: a state that is of no use any more stays",
    kind: "off by one",
    find: "if (kept.at(-1) !== end - 1) continue;",
    replace: "if (end > 1) continue;",
  },
]);

const runs = inFile("packages/rnn/src/loop/loop.ts", [
  {
    name: "loops: a state is not restored",
    kind: "wrong state",
    find: "      this.#here = kept;\n",
    replace: "      this.#here = { ...kept, state: this.#here!.state };\n",
  },
  {
    name: "loops: noise is not drawn again",
    kind: "stale value reused",
    find: "this.#settings.draws.restore(kept.drawn);",
    replace: "",
  },
  {
    name: "loops: noise is drawn again from the first step",
    kind: "wrong state",
    find: "drawn: this.#settings.draws.position };",
    replace: "drawn: this.#start };",
  },
  {
    name: "loops: a second sweep goes on drawing",
    kind: "stale value reused",
    find: "this.#settings.draws.restore(this.#start);",
    replace: "",
  },
  {
    name: "loops: what runs again is not compared",
    kind: "guard lost",
    find: "if (this.#isRerun && this.#checksums.get(at) !== sum) {",
    replace: "if (false) {",
  },
  {
    name: "loops: chunks that ran are not let go on the way back",
    kind: "aliased memory",
    find: "if (!isAll) this.#waiting.pop()!.region.end(isOver);",
    replace: "",
  },
  {
    name: "loops: states at hand are not let go",
    kind: "aliased memory",
    find: "if (this.#states.at(-1) !== this.#here) this.#here!.region.end(isOver);",
    replace: "",
  },
]);

const sweep = [
  ...inFile("packages/rnn/src/loop/sweep.ts", [
    {
      name: "loops: the cotangent of the state is dropped",
      kind: "lost gradient",
      find: "this.#arriving[path] = x;",
      replace: "this.#arriving[path] = zeros(x.shape, { dtype: x.dtype, backend: x.backend });",
    },
    {
      name: "loops: the cotangent of the last state arrives at every step",
      kind: "forgotten term",
      find: "const ofOutputs = chunk.kind",
      replace:
        "this.#arriving = this.#results.cotangentsOfState(this.#g);\n    const ofOutputs = chunk.kind",
    },
    {
      name: "loops: gradients are overwritten instead of added up",
      kind: "missing reduction",
      find: "else if (total === undefined) this.#totals",
      replace: "else if (total !== null) this.#totals",
    },
    {
      name: "loops: the gradient of inputs is placed where the sequence begins",
      kind: "off by one in time",
      find: "const to = whole.pointer + (start * bytes) / length;",
      replace: "const to = whole.pointer + (0 * start * bytes) / length;",
    },
    {
      name: "loops: what others read is added to",
      kind: "aliased memory",
      find: "if (total?.block === x.block && !isUniquelyHeld(total))",
      replace: "if (total?.block === x.block && !isUniquelyHeld(total) && false)",
    },
  ]),
  ...inFile("packages/rnn/src/loop/entry.ts", [
    {
      name: "loops: every sweep gives what the first one gave",
      kind: "stale value reused",
      find: "const known = this.#last?.g === g ? this.#last.found.get(path) : undefined;",
      replace: "const known = this.#last?.found.get(path);",
    },
    {
      name: "loops: the gradient has no derivative",
      kind: "levels confused",
      find: "if (isPlain) return this.loop!.backward(g);",
      replace: "if (isPlain || g.tape !== undefined) return this.loop!.backward(g);",
    },
  ]),
  ...inFile("packages/rnn/src/loop/unrollLoop.ts", [
    {
      name: "loops: derivatives of gradients draw other noise",
      kind: "stale value reused",
      find: "rng: position === undefined ? rng : rngFrom(position.rng),",
      replace: "rng,",
    },
    {
      name: "loops: after the burn-in, derivatives of gradients draw the noise of the window anew",
      kind: "stale value reused",
      find: "noise: position?.noise,",
      replace: "",
    },
  ]),
];

const steps = [
  ...inFile("packages/rnn/src/loop/results.ts", [
    {
      name: "loops: outputs one step early",
      kind: "off by one in time",
      find: "start + chunk.start * row);",
      replace: "start + Math.max(0, chunk.start - 1) * row);",
    },
  ]),
  ...inFile("packages/rnn/src/loop/chunk.ts", [
    {
      name: "loops: a chunk runs with the marks of the first one",
      kind: "mask ignored",
      find: "mask: part(mask), first: part(first) }),",
      replace:
        "mask: alias(mask, [length, ...mask.shape.slice(1)]), first: alias(first, [length, ...first.shape.slice(1)]) }),",
    },
    {
      name: "loops: in reverse, the steps of a chunk run forwards",
      kind: "off by one in time",
      find: "const at = reverse ? length - 1 - i : i;",
      replace: "const at = i;",
    },
    {
      name: "loops: the steps of a chunk share the noise of the first",
      kind: "stale value reused",
      find: "noise: noise?.[i],",
      replace: "noise: noise?.[0],",
    },
    {
      name: "loops: no gradient of a learned state where rows begin afresh",
      kind: "lost gradient",
      find: "const { params, xs, context, fresh, noise } = given;",
      replace:
        "const { params, xs, context, noise } = given;\n  const fresh = given.fresh ?? inputs.state;",
    },
  ]),
  ...inFile("packages/rnn/src/loop/chunks.ts", [
    {
      name: "loops: in reverse, chunks come in the order of time",
      kind: "off by one in time",
      find: "const start = this.reverse ? this.steps - to : from;",
      replace: "const start = from;",
    },
    {
      name: "loops: resets of steps that no row has are lost",
      kind: "boundary not cut",
      find: 'return fresh !== undefined && has(fresh, step) ? "resets" : "nothing";',
      replace: 'return fresh !== undefined && has(fresh, -1) ? "resets" : "nothing";',
    },
  ]),
  ...inFile("packages/rnn/src/loop/draws.ts", [
    {
      name: "loops: what is drawn once per window is drawn again with a step",
      kind: "stale value reused",
      find: "    this.#noise = position.noise;\n",
      replace: "    this.#noise = undefined;\n    this.#first.clear();\n",
    },
  ]),
  ...inFile("packages/rnn/src/loop/sequence.ts", [
    {
      name: "loops: the places of rows without a step are not filled",
      kind: "mask ignored",
      find: "xs: filledRows(xs, mask),",
      replace: "xs,",
    },
  ]),
];

const memory = [
  ...inFile("packages/rnn/src/loop/memory.ts", [
    {
      name: "loops: the cost of the pullback is left out",
      kind: "wrong count",
      find: "Math.max(cost.run, cost.waiting + cost.pullback)",
      replace: "cost.run",
    },
    {
      name: "loops: the cotangent of the outputs is left out of the cost",
      kind: "wrong count",
      find: "by.length === 0 ? 0 : vector + sum(parts.map(Memory.sizeOf));",
      replace: "0;",
    },
    {
      name: "loops: gradients are left out of the cost",
      kind: "wrong count",
      find: "+ cotangents + sum(gradients);",
      replace: "+ cotangents + 0 * gradients.length;",
    },
    {
      name: "loops: runs that wait count as states",
      kind: "wrong count",
      find: "const run = most((cost) => cost.waiting);",
      replace: "const run = most((cost) => cost.state);",
    },
  ]),
  ...inFile("packages/rnn/src/loop/cache.ts", [
    {
      name: "loops: a plan for another backend",
      kind: "stale value reused",
      find: "const [[, { backend }]] = leaves as [(typeof leaves)[number]];",
      replace: "const backend = cache as never;",
    },
  ]),
  ...inFile("packages/rnn/src/loop/plans.ts", [
    {
      name: "loops: a plan for the other direction, or other gradients",
      kind: "stale value reused",
      find: "[length, reverse, by, ...Object.values(shards)]",
      replace: "[length, ...Object.values(shards)]",
    },
    {
      name: "loops: a model that changed is not noticed",
      kind: "guard lost",
      find: "if (difference === undefined) return;",
      replace: "if (difference !== null) return;",
    },
  ]),
];

/** Bugs in loops that are one entry: their schedule, sweep, marks, noise, memory and plans. */
export const loops: readonly Mutant[] = [...schedule, ...runs, ...sweep, ...steps, ...memory];
