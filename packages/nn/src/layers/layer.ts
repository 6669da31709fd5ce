import { isTensor, type MapTree, type Shape, type Tensor } from "@chronograd/autodiff";
import { describeTensor } from "@chronograd/autodiff/internal";
import { shown } from "../checks.ts";
import type { Initializer } from "../init/initializer.ts";

/** A pure function with parameters: how they start, and what it computes from drawn ones. */
export interface Layer<Params, Rest extends readonly unknown[]> {
  /** The function that made it, by name, for those who convert its parameters. */
  readonly kind?: "embedding" | "layerNorm" | "linear";
  /** A tree of initializers; `initialize(layer.params, rng)` draws it. */
  readonly params: Params;
  apply(params: MapTree<Params, Tensor, Initializer>, ...rest: Rest): Tensor;
}

/** Throws a sentence unless `x` is a tensor. */
export function checkTensor(layer: string, x: unknown): void {
  if (!isTensor(x)) throw new TypeError(`${layer}: x must be a tensor, got ${shown(x)}`);
}

/** Throws a sentence unless `x` is a tensor of rows of `input` numbers. */
export function checkRows(layer: string, x: Tensor, input: number): void {
  checkTensor(layer, x);
  if (x.shape[x.shape.length - 1] === input) return;
  throw new RangeError(
    `${layer}: x must have ${input} elements along its last axis, got shape [${x.shape.join(",")}]`,
  );
}

/** The parameters; throws a sentence unless each has the shape that its layer declares. */
export function checkParams<T>(
  layer: string,
  params: T,
  declared: Readonly<Record<string, Initializer>>,
): T {
  for (const name in declared) {
    const x = (params as Record<string, unknown> | undefined)?.[name];
    const { shape } = declared[name]!;
    if (isTensor(x) && isSame(x.shape, shape)) continue;
    throw new TypeError(
      `${layer}: params.${name} must be a tensor of shape [${shape}], got ${isTensor(x) ? describeTensor(x) : shown(x)}; initialize(layer.params, rng) draws it`,
    );
  }
  return params;
}

/** Whether shapes of at most two axes, as all declared ones are, agree. */
function isSame(a: Shape, b: Shape): boolean {
  return a.length === b.length && a[0] === b[0] && a[1] === b[1];
}
