import type { Tensor } from "@chronograd/autodiff";

/** `h_t = f(x W + h_{t-1} U + b)`, the step of cells that differ in how they start. */
export function simpleRecurrence(
  { W, U, b }: Readonly<Record<"W" | "U" | "b", Tensor>>,
  x: Tensor,
  { h }: { readonly h: Tensor },
  { activation }: { readonly activation: "tanh" | "relu" },
): readonly [output: Tensor, state: { readonly h: Tensor }] {
  const next = x.matmul(W).add(h.matmul(U)).add(b)[activation]();
  return [next, { h: next }];
}
