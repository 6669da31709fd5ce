import type { Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import type { Layout } from "./layout.ts";

type Initializers = Readonly<Record<string, Initializer>>;

/** What PyTorch calls each parameter of a layer, and how it starts. */
const layers: Readonly<
  Record<string, (params: Initializers) => readonly (readonly [string, string, Initializer])[]>
> = {
  // A weight [outputs, inputs]: each of its rows has the inputs of one output.
  linear({ W, b }) {
    const [input, output] = W!.shape as [number, number];
    const { draw } = init.pytorch.linear(input, output);
    const weight = ["W", "weight", { shape: [output, input], draw }] as const;
    return b === undefined
      ? [weight]
      : [weight, ["b", "bias", init.pytorch.linearBias(input, output)]];
  },
  embedding: ({ table }) => {
    const [input, output] = table!.shape as [number, number];
    return [["table", "weight", init.pytorch.embedding(input, output)]];
  },
  layerNorm: ({ gain, bias }) => [
    ["gain", "weight", init.ones(...gain!.shape)],
    ["bias", "bias", init.zeros(...bias!.shape)],
  ],
};

/** The layout of a layer; `undefined` for a kind that is not known. */
export function layerLayout(
  kind: string,
  params: Initializers,
  prefix: string,
): Layout | undefined {
  const fields = layers[kind]?.(params);
  if (fields === undefined) return undefined;
  const turned = (key: string, x: Tensor) => (key === "W" ? x.transpose() : x.clone());
  return {
    entries: Object.fromEntries(fields.map(([, name, start]) => [prefix + name, start])),
    read: (dict) =>
      Object.fromEntries(fields.map(([key, name]) => [key, turned(key, dict[prefix + name]!)])),
    write: (own: Readonly<Record<string, Tensor>>) =>
      Object.fromEntries(fields.map(([key, name]) => [prefix + name, turned(key, own[key]!)])),
  };
}
