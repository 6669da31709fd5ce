import { type Tensor, tree } from "@chronograd/autodiff";

/** Where new values live that go with others. */
export interface ValuesLike {
  readonly dtype?: "float32" | "float64";
  readonly backend?: Tensor["backend"];
}

/** The dtype and backend of a tree's first float tensor. */
export function likeParams(params: unknown): ValuesLike {
  const first = tree.leaves(params).find((x) => x.dtype !== "int32");
  return first === undefined
    ? {}
    : { dtype: first.dtype as "float32" | "float64", backend: first.backend };
}
