import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { checkAlive, describeTensor } from "@chronograd/autodiff/internal";
import { passState } from "./leaves.ts";

/** The first tensor of a tree, if there is one. */
export function firstTensor(nested: unknown): Tensor | undefined {
  return tree.leaves(nested)[0];
}

/** No updates done yet. */
export function initialStep(params: unknown): Tensor {
  const backend = firstTensor(params)?.backend;
  return tensor(0, { dtype: "int32", ...(backend && { backend }) });
}

/**
 * Throws a sentence unless a state has the number of updates done, and no values but that and the
 * moments.
 */
export function checkState(
  state: { readonly step: Tensor } | undefined,
  moments: readonly string[],
  where: string,
): void {
  const refuse = (what: string) => {
    throw new TypeError(`${where}: the state's ${what}; ${passState}`);
  };
  const step = state?.step;
  if (step?.dtype !== "int32" || step.size !== 1)
    return refuse(
      `step must be an int32 scalar, got ${step === undefined ? "nothing" : describeTensor(step)}`,
    );
  checkAlive(step, where, "the state's step");
  const { backend, pointer } = step;
  if (backend.parent === null && backend.memory.views.int32[pointer / 4]! < 0)
    refuse(`step must be at least 0, got ${step.item()}`);
  for (const name in state) {
    if (name === "step" || moments.includes(name)) continue;
    if (firstTensor(state[name as "step"]) !== undefined)
      refuse(`"${name}" is of another rule, or of other options`);
  }
}

/** One update more. */
export function stepAfter(step: Tensor): Tensor {
  const { backend } = step;
  if (backend.parent !== null) return step.cast("float64").add(1).cast("int32");
  const value = backend.memory.views.int32[step.pointer / 4]! + 1;
  return tensor(value, { dtype: "int32", backend });
}
