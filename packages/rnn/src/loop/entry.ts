import { jvp, type Tensor, tree, vjp, zeros } from "@chronograd/autodiff";
import { apply, none, type OpDeclaration, type VjpRule } from "@chronograd/autodiff/extend";
import type { ChunkGradient, ChunkInputs, Variable } from "./chunk.ts";
import type { Loop } from "./loop.ts";
import type { Results } from "./results.ts";

/** What a loop is differentiated by. */
type Variables = Partial<Record<Variable, unknown>>;

/** The place of a tensor in the list of an entry's inputs. */
class EntryInput {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** How an entry makes its loop, and the same vector in plain steps, which have all derivatives. */
export interface EntryParts<Params, State, Y> {
  start(inputs: ChunkInputs<Params, State>): Loop<Params, State, Y>;
  again(inputs: ChunkInputs<Params, State>, loop: Loop<Params, State, Y>): Tensor;
}

/**
 * Runs a loop as one entry of the tapes that watch its inputs, and gives every float of its results
 * as one vector.
 */
export function asEntry<Params, State, Y>(
  inputs: ChunkInputs<Params, State>,
  by: readonly Variable[],
  parts: EntryParts<Params, State, Y>,
): { readonly vector: Tensor; readonly results: Results<State, Y> } {
  const entry = new LoopEntry(inputs, by, parts);
  const operands = tree.leaves(inputs);
  try {
    const vector = apply(entry.declaration() as OpDeclaration, operands, undefined);
    return { vector, results: entry.loop!.results };
  } finally {
    if (entry.loop?.isHeld === false) entry.loop.end();
  }
}

/**
 * What the declaration of an entry reads. It holds no value that a tape watches: a tape that
 * nobody else holds must not be held by its own entries.
 */
class LoopEntry<Params, State, Y> {
  loop: Loop<Params, State, Y> | undefined;
  readonly #structure: unknown;
  readonly #paths: readonly string[];
  readonly #isVariable: readonly boolean[];
  readonly #by: readonly Variable[];
  readonly #parts: EntryParts<Params, State, Y>;
  /** A sweep asks for the cotangents one after the other. */
  #last: { readonly g: Tensor; readonly found: ReadonlyMap<string, Tensor> } | undefined;

  constructor(
    inputs: ChunkInputs<Params, State>,
    by: readonly Variable[],
    parts: EntryParts<Params, State, Y>,
  ) {
    const leaves = tree.leavesWithPath(inputs);
    let next = 0;
    this.#structure = tree.map(inputs, () => new EntryInput(next++));
    this.#paths = leaves.map(([path]) => path);
    this.#isVariable = leaves.map(([path, { dtype }]) => {
      const isPart = by.some((name) => path === name || path.startsWith(`${name}.`));
      return isPart && dtype !== "int32";
    });
    this.#by = by;
    this.#parts = parts;
  }

  declaration(): OpDeclaration<undefined> {
    const rule: VjpRule<undefined> = (g, { inputs }, input) => this.#cotangent(g, inputs, input);
    const noRule = none("nothing flows to it");
    return {
      name: "unroll",
      inputs: this.#paths,
      accepts: () => {},
      shape: ([first]) => first!.shape,
      compute: (given) => {
        this.loop = this.#parts.start(this.#like(given));
        return this.loop.forward();
      },
      kept: { retain: () => this.loop!.retain(), release: () => this.loop!.release() },
      residuals: { inputs: "all", output: true },
      vjp: this.#isVariable.map((isVariable) => (isVariable ? rule : noRule)),
      jvp: (tangents, { inputs }) => this.#tangent(tangents, inputs),
      samples: [],
    };
  }

  /** Tensors, in the order of leaves, as inputs. */
  #like(tensors: readonly Tensor[]): ChunkInputs<Params, State> {
    const isInput = (value: unknown) => value instanceof EntryInput;
    return tree.map<unknown, Tensor, EntryInput>(
      this.#structure,
      ({ index }) => tensors[index]!,
      isInput,
    ) as ChunkInputs<Params, State>;
  }

  /** The plain steps as a function of the variables, and the variables. */
  #plain(tensors: readonly Tensor[]): readonly [f: (x: Variables) => Tensor, x: Variables] {
    const own = this.#like(tensors);
    const f = (x: Variables) =>
      this.#parts.again({ ...own, ...x } as ChunkInputs<Params, State>, this.loop!);
    return [f, Object.fromEntries(this.#by.map((name) => [name, own[name]]))];
  }

  #cotangent(g: Tensor, inputs: readonly Tensor[], input: number): Tensor {
    const path = this.#paths[input]!;
    const known = this.#last?.g === g ? this.#last.found.get(path) : undefined;
    if (known !== undefined && known.block.holders > 0) return known;
    const found = new Map(tree.leavesWithPath<Tensor>(this.#pull(g, inputs)));
    this.#last = g.tape === null ? { g, found } : undefined;
    return found.get(path)!;
  }

  #pull(g: Tensor, inputs: readonly Tensor[]): ChunkGradient {
    const isPlain = g.tape === null && inputs.every(({ tape }) => tape === null);
    if (isPlain) return this.loop!.backward(g);
    const [, pullback] = vjp(...this.#plain(inputs));
    return pullback(g) as ChunkGradient;
  }

  #tangent(tangents: readonly (Tensor | null)[], inputs: readonly Tensor[]): Tensor {
    const whole = inputs.map(
      (x, i) => tangents[i] ?? zeros(x.shape, { dtype: x.dtype, backend: x.backend }),
    );
    const [f, x] = this.#plain(inputs);
    const [, dx] = this.#plain(whole);
    return jvp(f, x, dx as never)[1];
  }
}
