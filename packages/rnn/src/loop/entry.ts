import { jvp, type Tensor, tree, vjp, zeros } from "@chronograd/autodiff";
import { apply, none, type OpDeclaration } from "@chronograd/autodiff/extend";
import type { ChunkGradient, ChunkInputs, Variable } from "./chunk.ts";
import type { Loop } from "./loop.ts";

/** What a loop is differentiated by. */
type Variables = Partial<Record<Variable, unknown>>;

/**
 * Runs a loop as one entry of the tapes that watch its inputs, and gives every float of its results
 * as one vector.
 *
 * @param again the same vector in plain steps, which have derivatives of any order
 */
export function asEntry<Params, State, Y>(
  inputs: ChunkInputs<Params, State>,
  by: readonly Variable[],
  start: (inputs: ChunkInputs<Params, State>) => Loop<Params, State, Y>,
  again: (inputs: ChunkInputs<Params, State>) => Tensor,
): { readonly vector: Tensor; readonly loop: Loop<Params, State, Y> } {
  const leaves = tree.leavesWithPath(inputs);
  const like = (tensors: readonly Tensor[]) => {
    let next = 0;
    return tree.map(inputs, () => tensors[next++]!) as unknown as ChunkInputs<Params, State>;
  };
  const withVariables = (given: ChunkInputs<Params, State>, x: Variables) =>
    ({ ...given, ...x }) as ChunkInputs<Params, State>;
  const variablesOf = (given: ChunkInputs<Params, State>): Variables =>
    Object.fromEntries(by.map((name) => [name, given[name]]));
  let loop: Loop<Params, State, Y> | undefined;
  const pull = (g: Tensor, given: readonly Tensor[]): ChunkGradient => {
    const isPlain = g.tape === null && given.every(({ tape }) => tape === null);
    if (isPlain) return loop!.backward(g);
    const own = like(given);
    const [, pullback] = vjp((x: Variables) => again(withVariables(own, x)), variablesOf(own));
    return pullback(g) as ChunkGradient;
  };
  /** A sweep asks for the cotangents one after the other. */
  let last: { readonly g: Tensor; readonly found: ReadonlyMap<string, Tensor> } | undefined;
  const declaration: OpDeclaration<undefined> = {
    name: "unroll",
    inputs: leaves.map(([path]) => path),
    accepts: () => {},
    shape: ([first]) => first!.shape,
    compute(given) {
      loop = start(like(given));
      return loop.forward();
    },
    kept: { retain: () => loop!.retain(), release: () => loop!.release() },
    residuals: { inputs: "all", output: true },
    vjp: leaves.map(([path, { dtype }]) => {
      const isVariable = by.some((name) => path === name || path.startsWith(`${name}.`));
      if (!isVariable || dtype === "int32") return none("nothing flows to it");
      return (g, { inputs: given }) => {
        const known = last?.g === g ? last.found.get(path) : undefined;
        if (known !== undefined && known.block.holders > 0) return known;
        const found = new Map(tree.leavesWithPath<Tensor>(pull(g, given)));
        last = { g, found };
        return found.get(path)!;
      };
    }),
    jvp(tangents, { inputs: given }) {
      const own = like(given);
      const whole = like(
        given.map((x, i) => tangents[i] ?? zeros(x.shape, { dtype: x.dtype, backend: x.backend })),
      );
      const [, tangent] = jvp(
        (x: Variables) => again(withVariables(own, x)),
        variablesOf(own),
        variablesOf(whole) as never,
      );
      return tangent;
    },
    samples: [],
  };
  try {
    const operands = leaves.map(([, x]) => x);
    return { vector: apply(declaration as OpDeclaration, operands, undefined), loop: loop! };
  } finally {
    if (loop?.isHeld === false) loop.end();
  }
}
