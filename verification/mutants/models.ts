import { inFile, type Mutant } from "./mutant.ts";

const inTurn = inFile("packages/rnn/src/models/inTurn.ts", [
  {
    name: "sequential: every part sees the first input",
    kind: "wrong state",
    find: "const x = value;",
    replace: "const x = input;",
  },
  {
    name: "sequential: nothing flows from part to part",
    kind: "lost gradient",
    find: "const x = value;",
    replace: "const x = value.detach();",
  },
  {
    name: "sequential: parts keep their old states",
    kind: "wrong state",
    find: "? runStep(part, params[key]!, x, state[key]!, noise?.[key])",
    replace: "? [runStep(part, params[key]!, x, state[key]!, noise?.[key])[0], state[key]!]",
  },
  {
    name: "noise in streams: the parts have none",
    kind: "mask ignored",
    find: "state[key]!, noise?.[key])",
    replace: "state[key]!)",
  },
  {
    name: "learnedState: the parts of a model start from their own states",
    kind: "wrong state",
    find: "part.initial?.(params[key]!, batch) ?? initialState",
    replace: "initialState",
  },
  {
    name: "stacked: layers of a whole sequence forget the state that they are given",
    kind: "wrong state",
    find: "...(state && { state: state[key] as never }),",
    replace: "",
  },
]);

const stacked = inFile("packages/rnn/src/models/stacked.ts", [
  {
    name: "stacked: a residual around the first layer",
    kind: "off by one",
    find: "if (i === 0 || (!residual && dropout === 0)) return layer;",
    replace: "if (!residual && dropout === 0) return layer;",
  },
  {
    name: "stacked: no residuals",
    kind: "forgotten term",
    find: "layerOn(layer, { where: own, residual, mask",
    replace: "layerOn(layer, { where: own, residual: false, mask",
  },
]);

const layerOn = inFile("packages/rnn/src/models/layerOn.ts", [
  {
    name: "noise in streams: a layer without the noise of its cell",
    kind: "mask ignored",
    find: ", seen, state, own?.cell)",
    replace: ", seen, state)",
  },
  {
    name: "stacked: nothing flows through a residual",
    kind: "lost gradient",
    find: "return x.add(y);",
    replace: "return x.detach().add(y);",
  },
  {
    name: "stacked: a residual over a whole sequence forgotten",
    kind: "forgotten term",
    find: "outputs: added(x, outputs)",
    replace: "outputs",
  },
  {
    name: "dropout between layers: the residual is dropped too",
    kind: "mask ignored",
    find: "return [added(x, y), next];",
    replace: "return [added(seen, y), next];",
  },
  {
    name: "dropout between layers: nothing is dropped",
    kind: "mask ignored",
    find: "own?.input === undefined ? x : masked(where, x, own.input)",
    replace: "x",
  },
]);

const bidirectional = inFile("packages/rnn/src/models/bidirectional.ts", [
  {
    name: "bidirectional: both cells forwards",
    kind: "off by one in time",
    find: "reverse: !reverse,",
    replace: "reverse,",
  },
  {
    name: "bidirectional: the parameters of the forward cell for both",
    kind: "swapped operands",
    find: "unroll(backward, own.backward, inputs as Tensor, {",
    replace: "unroll(backward, own.forward as never, inputs as Tensor, {",
  },
  {
    name: "bidirectional: the backward cell forgets the state that it is given",
    kind: "wrong state",
    find: "...(before && { state: before.backward }),",
    replace: "",
  },
  {
    name: "bidirectional: outputs of the directions exchanged",
    kind: "swapped operands",
    find: "concat([forward, backward], -1)",
    replace: "concat([backward, forward], -1)",
  },
  {
    name: "bidirectional: a mean that is a sum",
    kind: "mean as sum",
    find: "forward.add(backward).mul(0.5)",
    replace: "forward.add(backward)",
  },
  {
    name: "bidirectional: nothing flows to the backward cell of a product",
    kind: "lost gradient",
    find: "forward.mul(backward)",
    replace: "forward.mul(backward.detach())",
  },
  {
    name: "bidirectional: goes on from a backward state that has ended",
    kind: "guard lost",
    find: "if (ended.has(Object(before?.backward))) {",
    replace: "if (ended.has(Object(before?.forward))) {",
  },
]);

const noise = [
  ...inFile("packages/rnn/src/models/bernoulli.ts", [
    {
      name: "variationalDropout: drops what it should keep",
      kind: "swapped operands",
      find: "rng.bits() < threshold ? drawn : other",
      replace: "rng.bits() < threshold ? other : drawn",
    },
    {
      name: "variationalDropout: the rest is not scaled",
      kind: "factor",
      find: "[0, 1 / (1 - rate)]",
      replace: "[0, 1]",
    },
  ]),
  ...inFile("packages/rnn/src/models/variationalDropout.ts", [
    {
      name: "variationalDropout: the state unmasked",
      kind: "mask ignored",
      find: "mask === undefined ? h : h.mul(mask)",
      replace: "mask === undefined ? h : h",
    },
    {
      name: "variationalDropout: the input unmasked",
      kind: "mask ignored",
      find: "own.input ? masked(where, x, own.input) : x",
      replace: "x",
    },
    {
      name: "noise in streams: the inner cell has none",
      kind: "mask ignored",
      find: ", seen, own.cell)",
      replace: ", seen)",
    },
  ]),
  ...inFile("packages/rnn/src/models/zoneout.ts", [
    {
      name: "noise in streams: zoneout around a cell without its noise",
      kind: "mask ignored",
      find: ", x, before, noise?.cell)",
      replace: ", x, before)",
    },
    {
      name: "zoneout: old and new exchanged",
      kind: "swapped operands",
      find: "select(mask, old, fresh)",
      replace: "select(mask, fresh, old)",
    },
    {
      name: "zoneout: in evaluation the old state with the other rate",
      kind: "factor",
      find: "old.mul(own[0]).add(fresh.mul(1 - own[0]))",
      replace: "fresh.mul(own[0]).add(old.mul(1 - own[0]))",
    },
    {
      name: "zoneout: puts out what is not kept",
      kind: "wrong state",
      find: "zoned.get(y) ?? y",
      replace: "y",
    },
    {
      name: "zoneout: one rate for the share that is kept, another for the mean",
      kind: "factor",
      find: "bernoulli(own, [1, 0]",
      replace: "bernoulli(1 - own, [1, 0]",
    },
  ]),
  ...inFile("packages/rnn/src/models/weightDrop.ts", [
    {
      name: "noise in streams: weightDrop around a cell without its noise",
      kind: "mask ignored",
      find: ", x, state, (drawn as Drawn).cell)",
      replace: ", x, state)",
    },
    {
      name: "weightDrop: whole weights",
      kind: "mask ignored",
      find: "mask === undefined ? w : w.mul(mask)",
      replace: "mask === undefined ? w : w",
    },
    {
      name: "weightDrop: no gradient by the weights",
      kind: "lost gradient",
      find: "w.mul(mask)",
      replace: "w.detach().mul(mask)",
    },
    {
      name: "weightDrop: a mask for each step",
      kind: "off by one in time",
      find: 'dropMask(rate, shape, "window", false)',
      replace: 'dropMask(rate, shape, "step", false)',
    },
  ]),
  ...inFile("packages/rnn/src/models/learnedState.ts", [
    {
      name: "noise in streams: learnedState around a cell without its noise",
      kind: "mask ignored",
      find: "inner(own), x, before, drawn)",
      replace: "inner(own), x, before)",
    },
    {
      name: "learnedState: nothing flows to the initial state",
      kind: "lost gradient",
      find: "row.broadcastTo([batch",
      replace: "row.detach().broadcastTo([batch",
    },
  ]),
  ...inFile("packages/rnn/src/models/around.ts", [
    {
      name: "noise in streams: the noise of the inner cell is not drawn",
      kind: "mask ignored",
      find: "noise: { cell: cell.noise, ...noise },",
      replace: "noise,",
    },
  ]),
];

/** Bugs in what is made from cells. */
export const models: readonly Mutant[] = [
  ...inTurn,
  ...stacked,
  ...layerOn,
  ...bidirectional,
  ...noise,
];
