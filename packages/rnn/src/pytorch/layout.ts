import type { Tensor } from "@chronograd/autodiff";
import type { Initializer } from "@chronograd/nn";

/** Tensors by the names that a module's `state_dict()` gives them. */
export type StateDict = Readonly<Record<string, Tensor>>;

/** How the parameters of a model lie in a state dict. */
export interface Layout {
  /** The shape of every entry, and how PyTorch starts it. */
  readonly entries: Readonly<Record<string, Initializer>>;
  /** The tree of parameters, from a state dict with all entries. */
  read(dict: StateDict): unknown;
  /** The entries of a tree of parameters, or of gradients. */
  write(params: never, gradients: boolean): Record<string, Tensor>;
}

/** The layout of parameters that have parts: by name, or by layer. */
export function joined(
  parts: readonly (readonly [key: string, Layout])[],
  isList: boolean,
): Layout {
  return {
    entries: Object.assign({}, ...parts.map(([, { entries }]) => entries)) as Layout["entries"],
    read(dict) {
      const read = parts.map(([key, part]) => [key, part.read(dict)] as const);
      return isList ? read.map(([, params]) => params) : Object.fromEntries(read);
    },
    write(params, gradients) {
      const written = parts.map(([key, part]) => part.write(params[key], gradients));
      return Object.assign({}, ...written) as Record<string, Tensor>;
    },
  };
}
