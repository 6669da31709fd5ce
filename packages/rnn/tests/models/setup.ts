import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import type { initialParams } from "../../src/index.ts";
import { drawParams } from "../../src/testing/draw.ts";
import type { SomeCell } from "../../src/testing.ts";
import { numbers } from "../truncated/setup.ts";

/** Random float64 numbers of a shape, by the seed. */
export function normal(shape: readonly number[], seed: number): Tensor {
  const random = rng(seed, "numbers");
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: size }, () => random.normal()),
    { shape },
  );
}

/** Parameters of a model, float64 and random in every element. */
export function paramsOf<Model extends { readonly params: unknown }>(
  model: Model,
  seed: number,
): ReturnType<typeof initialParams<Model["params"]>> {
  return drawParams(model, rng(seed)) as ReturnType<typeof initialParams<Model["params"]>>;
}

/** The numbers of a tree in one list, to compare them bit by bit. */
export function bits(values: unknown): number[] {
  return Object.values(numbers(values)).flat();
}

/** A cell without its types. */
export function plain(cell: unknown): SomeCell {
  return cell as SomeCell;
}

/** What a call says when it throws, else "nothing". */
export function said(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return String(error);
  }
  return "nothing";
}

/** Shapes by path. */
export function shapesOf(values: unknown): Record<string, readonly number[]> {
  return Object.fromEntries(tree.leavesWithPath(values).map(([path, x]) => [path, x.shape]));
}
