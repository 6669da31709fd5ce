import { createBackend, type Tensor, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { expectTypeOf, test } from "vitest";
import {
  adam,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  init,
  initialize,
  linear,
  rng,
} from "../src/index.ts";
import { decodeSafetensors, encodeSafetensors, restoreTree } from "../src/safetensors.ts";

const backend = createBackend({ kernels: referenceKernels });
const make = () =>
  initialize(
    {
      layers: [{ W: init.glorot(2, 3), b: init.zeros(3) }],
      head: linear({ inputs: 3, outputs: 1 }).params,
      name: "text" as string,
    },
    rng(1),
    { backend },
  );

interface Params {
  layers: { W: Tensor; b: Tensor }[];
  head: { W: Tensor; b: Tensor };
  name: string;
}

test("initialize turns initializers into tensors and keeps the rest", () => {
  expectTypeOf(make()).toEqualTypeOf<Params>();
});

test("a layer's apply takes what initialize made of its params", () => {
  const layer = linear({ inputs: 3, outputs: 1 });
  expectTypeOf(layer.apply).parameter(0).toEqualTypeOf<{ W: Tensor; b: Tensor }>();
  const bare = linear({ inputs: 3, outputs: 1, bias: false });
  expectTypeOf(bare.apply).parameter(0).toEqualTypeOf<{ W: Tensor }>();
});

test("a step gives back the trees it was given", () => {
  const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam() });
  let params = make();
  let state = optimizer.init(params);
  const [updates, next] = optimizer.update(make(), state, params);
  expectTypeOf(updates).toEqualTypeOf<Params>();
  params = applyUpdates(params, updates);
  state = next;
  expectTypeOf(params).toEqualTypeOf<Params>();
  expectTypeOf(state.clip.norm).toEqualTypeOf<Tensor>();
  expectTypeOf(state.adam.step).toEqualTypeOf<Tensor>();
  const lone = applyUpdates(tensor([1], { backend }), tensor([1], { backend }));
  expectTypeOf(lone).toEqualTypeOf<Tensor>();
  // @ts-expect-error updates must have the structure of params
  () => applyUpdates(params, { layers: [] });
  // @ts-expect-error a chain has the states of its links
  () => state.sgd;
});

test("a tuple stays a tuple", () => {
  const pair = (): [Tensor, { b: Tensor }] => [
    tensor([1], { backend }),
    { b: tensor([1], { backend }) },
  ];
  expectTypeOf(applyUpdates(pair(), pair())).toEqualTypeOf<[Tensor, { b: Tensor }]>();
});

test("restoreTree gives back the tree it was shown", () => {
  const params = make();
  expectTypeOf(
    restoreTree(params, decodeSafetensors(encodeSafetensors(params))),
  ).toEqualTypeOf<Params>();
});
