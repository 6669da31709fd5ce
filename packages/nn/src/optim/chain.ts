import type { MapTree, Tensor } from "@chronograd/autodiff";
import { transformation } from "./consumeState.ts";
import type { GradientTransformation } from "./transformation.ts";

/** States by link. */
export type ChainState<Links> = {
  readonly [Name in keyof Links]: Links[Name] extends GradientTransformation<infer State>
    ? State
    : never;
};

/**
 * Transformations one after another: each takes the updates of the one before, in the order given.
 * The state is a tree by the names given, so its paths are `clip.norm` and `adam.m.layers.W`.
 *
 * @throws when no link is given, or a link is no transformation
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { adam, applyUpdates, chain, clipByGlobalNorm } from "@chronograd/nn";
 *
 * const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate: 0.5 }) });
 * let params = { w: tensor([1, 1]) };
 * let state = optimizer.init(params);
 * const [updates, next] = optimizer.update({ w: tensor([30, -40]) }, state, params);
 * params = applyUpdates(params, updates);
 * state = next;
 * params.w.mul(1000).round().toArray(); // => [500, 1500]
 * state.clip.norm.item(); // => 50
 * ```
 */
export function chain<const Links extends Readonly<Record<string, GradientTransformation>>>(
  links: Links,
): GradientTransformation<ChainState<Links>> {
  const entries = Object.entries(links) as [string, GradientTransformation][];
  if (entries.length === 0) throw new RangeError("chain: expected at least one link, got none");
  for (const [name, link] of entries) {
    if (typeof link?.init === "function" && typeof link.update === "function") continue;
    throw new TypeError(
      `chain: "${name}" must be a transformation with init and update, such as adam({ learningRate: 0.001 }), got ${link === null ? "null" : typeof link}`,
    );
  }
  return transformation<ChainState<Links>>("chain", {
    init: (params) =>
      Object.fromEntries(
        entries.map(([name, link]) => [name, link.init(params)]),
      ) as ChainState<Links>,
    step(gradients, state, params, isLast) {
      const before = state as Readonly<Record<string, unknown>> | undefined;
      const next: [string, unknown][] = [];
      let updates: unknown = gradients;
      for (const [i, [name, link]] of entries.entries()) {
        const own = before?.[name];
        if (own === undefined) {
          throw new TypeError(
            `chain.update: the state has no "${name}"; pass what init(params), or the update before, returned`,
          );
        }
        // Only the last link can be sure that nothing after it throws.
        const isEnd = isLast && i === entries.length - 1;
        const [moved, after] = link.step
          ? link.step(updates, own, params, isEnd)
          : link.update(updates, own, params);
        updates = moved;
        next.push([name, after]);
      }
      return [
        updates as MapTree<typeof gradients, Tensor>,
        Object.fromEntries(next) as ChainState<Links>,
      ];
    },
  });
}
