import { createBackend, type Tensor, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { expectTypeOf, test } from "vitest";
import {
  adam,
  type Clipped,
  clipAdaptive,
  clipByGlobalNorm,
  clipByValue,
  clipPerParameter,
  decodeSafetensors,
  encodeSafetensors,
  glorot,
  initialize,
  linear,
  type Optimizer,
  restoreTree,
  stream,
  zeros,
} from "../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });
const make = () =>
  initialize(
    {
      layers: [{ W: glorot(2, 3), b: zeros(3) }],
      head: linear({ inputs: 3, outputs: 1 }).params,
      name: "text" as string,
    },
    stream(1),
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

test("update gives back the tree it was given, from gradients plain or clipped", () => {
  const optimizer = adam();
  expectTypeOf(optimizer).toEqualTypeOf<Optimizer>();
  let params = make();
  params = optimizer.update(params, make());
  params = optimizer.update(params, clipByGlobalNorm(make(), 1));
  expectTypeOf(params).toEqualTypeOf<Params>();
  const lone = adam().update(tensor([1], { backend }), tensor([1], { backend }));
  expectTypeOf(lone).toEqualTypeOf<Tensor>();
  // @ts-expect-error gradients must have the structure of params
  () => optimizer.update(params, { layers: [] });
});

test("a tuple stays a tuple", () => {
  const pair = (): [Tensor, { b: Tensor }] => [
    tensor([1], { backend }),
    { b: tensor([1], { backend }) },
  ];
  expectTypeOf(adam().update(pair(), pair())).toEqualTypeOf<[Tensor, { b: Tensor }]>();
});

test("clip functions keep the type of the gradients", () => {
  const gradients = make();
  expectTypeOf(clipByGlobalNorm(gradients, 1)).toEqualTypeOf<Clipped<Params>>();
  expectTypeOf(clipByValue(gradients, 1)).toEqualTypeOf<Clipped<Params>>();
  expectTypeOf(clipPerParameter(gradients, 1)).toEqualTypeOf<Clipped<Params>>();
  expectTypeOf(clipAdaptive(gradients, gradients).gradients).toEqualTypeOf<Params>();
});

test("restoreTree gives back the tree it was shown", () => {
  const params = make();
  expectTypeOf(
    restoreTree(params, decodeSafetensors(encodeSafetensors(params))),
  ).toEqualTypeOf<Params>();
});
