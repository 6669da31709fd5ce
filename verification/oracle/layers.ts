import type { Tensor } from "@chronograd/autodiff";
import { embedding, layerNorm, linear } from "@chronograd/nn";
import type { Subject } from "../subject.ts";
import { type Call, callSubjects } from "./calls.ts";

const makers = { linear, embedding, layerNorm };

/** Inputs are `x` and the parameters; the one argument is what makes the layer. */
function layer(name: string): Call {
  const make = makers[name as keyof typeof makers] as unknown as (options: unknown) => {
    apply(params: unknown, x: Tensor): Tensor;
  };
  return ({ x, ...params }, [options]) => ({ y: make(options).apply(params, x!) });
}

/** Layers, by inputs and parameters. */
export const layers = (): Subject[] => callSubjects("layers", "PyTorch: layers", layer);
