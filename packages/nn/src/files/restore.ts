import { type Backend, type MapTree, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { checkOptions, describeType, isLike } from "@chronograd/autodiff/internal";
import { checkBackend } from "../checks.ts";
import type { Decoded } from "./safetensors.ts";

/** Which part of a file is meant. */
export interface PrefixOption {
  /** Only names that begin with this count, and it is left out of them; `""` unless given. */
  readonly prefix?: string;
}

/**
 * A tree like `like` with the values of a file: every tensor from the name that is its path.
 *
 * `like` is not changed; new tensors live on its tensors' backends.
 *
 * @param like a tree of tensors, freshly initialised parameters for example
 * @throws when a name is missing from the file or the tree, or a shape or a dtype differs
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@chronograd/autodiff";
 * import { decodeSafetensors, encodeSafetensors, restoreTree } from "@chronograd/nn/safetensors";
 *
 * const bytes = encodeSafetensors({ params: { b: tensor([1, 2]) } });
 * const params = restoreTree({ b: zeros([2]) }, decodeSafetensors(bytes), { prefix: "params." });
 * params.b.toArray(); // => [1, 2]
 * ```
 */
export function restoreTree<T>(
  like: T,
  { tensors }: Decoded,
  options: PrefixOption = {},
): MapTree<T, Tensor> {
  checkOptions("restoreTree", options, ["prefix"]);
  const { prefix = "" } = options;
  const wanted = tree.leavesWithPath(like);
  const missing = wanted
    .map(([path]) => path)
    .filter((path) => !Object.hasOwn(tensors, prefix + path));
  const expected = new Set(wanted.map(([path]) => prefix + path));
  const extra = Object.keys(tensors).filter(
    (name) => name.startsWith(prefix) && !expected.has(name),
  );
  if (missing.length > 0 || extra.length > 0) {
    const parts = [
      ...(missing.length > 0 ? [`the file lacks ${list(missing)}`] : []),
      ...(extra.length > 0 ? [`the tree has no place for ${list(extra)}`] : []),
    ];
    throw new TypeError(
      `restoreTree: ${parts.join(", and ")}; restore into the structure that was saved, or name a part of the file with { prefix }`,
    );
  }
  for (const [path, x] of wanted) {
    const stored = tensors[prefix + path]!;
    if (isLike(stored, x)) continue;
    throw new RangeError(
      `restoreTree: "${path}" is ${describeType(stored)} in the file and ${describeType(x)} in the tree`,
    );
  }
  return tree.map(like, (x: Tensor, path) => {
    const { data, shape, dtype } = tensors[prefix + path]!;
    return tensor(data, { shape, dtype, backend: x.backend });
  });
}

/**
 * The tensors of a file by name, where there is no tree to restore into.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { decodeSafetensors, encodeSafetensors, tensorsOf } from "@chronograd/nn/safetensors";
 *
 * const bytes = encodeSafetensors({ moments: { "m.b": tensor([1, 2]) } });
 * tensorsOf(decodeSafetensors(bytes), { prefix: "moments." })["m.b"]?.toArray(); // => [1, 2]
 * ```
 */
export function tensorsOf(
  { tensors }: Decoded,
  options: PrefixOption & { readonly backend?: Backend } = {},
): Record<string, Tensor> {
  checkOptions("tensorsOf", options, ["prefix", "backend"]);
  const { prefix = "", backend } = options;
  checkBackend(backend, "tensorsOf");
  const named = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(
    named.map(([name, { data, shape, dtype }]) => [
      name.slice(prefix.length),
      tensor(data, { shape, dtype, ...(backend && { backend }) }),
    ]),
  );
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => JSON.stringify(name));
  return names.length > 5 ? `${shown.join(", ")} and ${names.length - 5} more` : shown.join(", ");
}
