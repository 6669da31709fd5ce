import type { Tensor } from "@chronograd/autodiff";
import { scope, zeros } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { dropout, embedding, init, layerNorm, linear, rng } from "@chronograd/nn";
import { sharedBuffer } from "@chronograd/nn/parallel";
import { restoreTree, tensorsOf } from "@chronograd/nn/safetensors";
import {
  bidirectional,
  defineCell,
  elman,
  initialParams,
  initialState,
  lanes,
  stacked,
  truncated,
  unroll,
  variationalDropout,
  weightDrop,
  zoneout,
} from "@chronograd/rnn";
import { beamSearch, continuations, generate, sampler } from "@chronograd/rnn/decode";
import { fromPyTorch, initialPyTorch, toPyTorch } from "@chronograd/rnn/pytorch";
import { type CellRow, cellTable, checkInfluence } from "@chronograd/rnn/testing";
import { Tally } from "./tally.ts";

const sizes = { input: 3, hidden: 3 };
const own = elman(sizes);
const params = initialParams(own, rng(1));
const loss = (y: Tensor): Tensor => y;

/** The last of a cell's sizes that is a number. */
function lastSize(small: CellRow["sizes"]): string {
  return Object.keys(small).findLast((name) => typeof small[name] === "number")!;
}

/** Sizes and options as text, in the order of their names. */
function text(all: object = {}): string {
  return JSON.stringify(Object.entries(all).sort());
}

const decoded = { names: [], tensors: {}, metadata: {} };

/** A cell with choices whose step alone reads `scale`; `seen` holds what steps are given. */
const seen: object[] = [];
const scaled = defineCell({
  choices: { activation: ["tanh", "relu"] },
  params: () => ({}),
  state: ({ units }: { units: number; scale: number }) => ({ h: init.zeros(units) }),
  step: (_: object, x: Tensor, { h }, given) => {
    seen.push({ ...given });
    return [x.mul(given.scale), { h }];
  },
});
function stepped(given: object): object | undefined {
  const cell = scaled(given as never);
  cell.step({}, zeros([1, 1]), initialState(cell, 1));
  return seen.at(-1);
}

/** A call with a misspelt option, and the right name. */
const misspelt: readonly (readonly [call: () => unknown, where: string, name: string])[] = [
  [() => truncated(own, params, [], { K1: 1, k2: 1, loss } as never), "truncated", "k1"],
  ...cellTable().map(({ family, make, sizes: small }) => {
    const name = lastSize(small);
    const call = () => make({ [name]: undefined, [`${name}s`]: 3 } as never);
    return [call, family, name] as const;
  }),
  [() => elman({ ...sizes, activations: "relu" } as never), "elman", "activation"],
  [() => scaled({ units: 1, scale: 1, activaton: "relu" } as never), "cell", "activation"],
  [
    () => defineCell({ params: () => ({}), state: () => ({}), step: own.step, steps: 1 } as never),
    "defineCell",
    "step",
  ],
  [() => unroll(own, params, zeros([1, 1, 3]), { reversed: true } as never), "unroll", "reverse"],
  [() => lanes([], { row: 1 } as never), "lanes", "rows"],
  [
    () => checkInfluence(own, { inputs: zeros([1, 2, 3]) }, { casual: false } as never),
    "checkInfluence",
    "causal",
  ],
  [() => stacked([own], { residuals: true } as never), "stacked", "residual"],
  [() => bidirectional(own, { backwards: own } as never), "bidirectional", "backward"],
  [() => zoneout(own, { rates: 0.5 } as never), "zoneout", "rate"],
  [() => weightDrop(own, { rate: 0.5, name: ["U"] } as never), "weightDrop", "names"],
  [
    () => variationalDropout(own, { rate: 0.5, inputRates: 0 } as never),
    "variationalDropout",
    "inputRate",
  ],
  [() => initialState(own, 1, { dtypes: "float64" } as never), "initialState", "dtype"],
  [() => initialParams(own, rng(1), { backends: 1 } as never), "initialParams", "backend"],
  [() => initialPyTorch(own, rng(1), { dtypes: "float64" } as never), "initialPyTorch", "dtype"],
  [() => fromPyTorch({}, own, { prefixes: "a." } as never), "fromPyTorch", "prefix"],
  [() => toPyTorch(params, own, { biased: false } as never), "toPyTorch", "bias"],
  [() => sampler({ temprature: 1 } as never), "sampler", "temperature"],
  [() => generate(own, params, { prompts: [0], length: 1 } as never), "generate", "prompt"],
  [() => continuations(own, params, { widths: 1 } as never), "continuations", "width"],
  [() => beamSearch({ state: {}, widths: 1 } as never), "beamSearch", "width"],
  [() => linear({ inputs: 3, output: 2 } as never), "linear", "input"],
  [() => embedding({ input: 3, outputs: 2 } as never), "embedding", "output"],
  [() => dropout({ rates: 0.5 } as never), "dropout", "rate"],
  [() => layerNorm({ input: 3, eps: 1 } as never), "layerNorm", "epsilon"],
  [() => init.zeros(3, { dtyp: "int32" } as never), "zeros", "dtype"],
  [() => restoreTree({}, decoded, { prefixes: "" } as never), "restoreTree", "prefix"],
  [() => tensorsOf(decoded, { prefixes: "" } as never), "tensorsOf", "prefix"],
  [() => sharedBuffer(1, { messagebytes: 8 } as never), "sharedBuffer", "messageBytes"],
];

export const options: Law = {
  name: "options",
  statement:
    "an unknown option or size is refused with the nearest right name, a missing one by its own",
  bound: 0,
  measure: () =>
    scope(() => {
      const tally = new Tally();
      for (const [call, where, name] of misspelt) {
        tally.throws(call, new RegExp(`^${where}: .* did you mean "${name}"\\?`), `${call}`);
      }
      for (const { name, family, make, sizes: small } of cellTable()) {
        const size = lastSize(small);
        const words = new RegExp(`^${family}: .* needs the size ${size}`);
        tally.throws(() => make({ [size]: undefined } as never), words, name);
        for (const [option, word] of Object.entries(small)) {
          if (typeof word === "number") continue;
          const refusal = new RegExp(`^${family}: ${option} must be .*, got "${word}s"`);
          tally.throws(() => make({ [option]: `${word}s` }), refusal, name);
        }
      }
      const custom = (given: object) => () =>
        defineCell({
          params: ({ units }: { units: number }) => ({
            b: { shape: [units], draw: () => new Float64Array(units) },
          }),
          state: () => ({ h: init.zeros(1) }),
          step: ({ b }, x: Tensor, { h }) => [x.add(b), { h }],
        })(given as never);
      tally.throws(custom({ unit: 3 }), /needs the size units.* did "unit" mean "units"\?/, "own");
      tally.throws(custom({}), /needs the size units, got no sizes/, "own, without sizes");
      tally.check(custom({ units: 2 })().params.b.shape[0] === 2, () => "own, as it should be");
      tally.throws(custom({ units: "2" }), /size units must be .*, got "2"/, "own, with a word");
      const listed = defineCell({
        sizes: ["units", "scale"],
        params: () => ({}),
        state: ({ units }: { units: number; scale: number }) => ({ h: init.zeros(units) }),
        step: (_: object, x: Tensor, { h }, { scale }) => [x.mul(scale), { h }],
      });
      tally.throws(() => listed({ units: 1 } as never), /needs the size scale/, "listed");
      const given = { units: 1, scale: 1 };
      const kept = scaled(given);
      given.scale = 2;
      kept.step({}, zeros([1, 1]), initialState(kept, 1));
      const found = [seen.at(-1), stepped({ ...given, activation: "relu" })].map(text);
      const expected = [
        { units: 1, scale: 1, activation: "tanh" },
        { units: 1, scale: 2, activation: "relu" },
      ].map(text);
      tally.check(found.join() === expected.join(), () => `steps are given ${found}`);
      tally.throws(() => linear({ input: 3 } as never), /^linear: output must be/, "linear");
      return tally;
    }),
};
