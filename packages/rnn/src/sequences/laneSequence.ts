import { type Tensor, tree } from "@chronograd/autodiff";

/** A sequence by itself, without the axis of rows. */
export interface LaneSequence<X = Tensor, Target = Tensor> {
  /** Time-major `[T, ...]`, or a tree of such tensors. */
  readonly inputs: X;
  /** As long as the inputs. */
  readonly targets: Target;
}

/** The tensors of a sequence by path, such as `"inputs"` or `"targets.next"`. */
export type Leaves = ReadonlyMap<string, Pick<Tensor, "shape" | "dtype">>;

const expected =
  "expected { inputs, targets } of time-major tensors [T, ...] without an axis of rows";

/** What padded batches carry; sequences in lanes have no padding. */
const ofBatches = ["lengths", "mask", "resets", "context"];

/**
 * The tensors of sequence `index`. All sequences must be like the first one, except in length.
 *
 * @throws a sentence that names the sequence
 */
export function leavesOf(
  sequence: LaneSequence<unknown, unknown>,
  index: number,
  first: Leaves | undefined,
): Map<string, Tensor> {
  const where = `lanes: sequence ${index}`;
  if (typeof sequence !== "object" || sequence === null) {
    throw new TypeError(`${where} is ${String(sequence)}; ${expected}`);
  }
  const extra = ofBatches.find((name) => name in sequence);
  if (extra !== undefined) {
    throw new TypeError(
      `${where} has ${extra}, which lanes does not take; ${expected}, sliced to the steps that exist`,
    );
  }
  const { inputs, targets } = sequence;
  const leaves = new Map(tree.leavesWithPath({ inputs, targets }));
  for (const [name, part] of Object.entries({ inputs, targets })) {
    if (tree.leaves(part).length > 0) continue;
    throw new TypeError(`${where} has no tensor in its ${name}; ${expected}`);
  }
  const length = lengthOf(leaves);
  for (const { shape } of leaves.values()) {
    if (shape.length > 0 && shape[0] === length) continue;
    throw new RangeError(
      `${where}: inputs and targets must be time-major and equally long, got ${textOf(leaves)}`,
    );
  }
  if (first !== undefined && !areAlike(leaves, first)) {
    throw new TypeError(
      `${where} has ${textOf(leaves)}, and the first sequence has ${textOf(first)}; only the lengths may differ`,
    );
  }
  return leaves;
}

/** Steps of a sequence. */
export function lengthOf(leaves: Leaves): number {
  const [first] = leaves.values();
  return first?.shape[0] ?? 0;
}

function areAlike(leaves: Leaves, first: Leaves): boolean {
  const isLike = ([path, { shape, dtype }]: [string, Pick<Tensor, "shape" | "dtype">]) => {
    const other = first.get(path);
    return other?.dtype === dtype && `${other.shape.slice(1)}` === `${shape.slice(1)}`;
  };
  return leaves.size === first.size && [...leaves].every(isLike);
}

function textOf(leaves: Leaves): string {
  return [...leaves].map(([path, { shape, dtype }]) => `${path} ${dtype} [${shape}]`).join(", ");
}
