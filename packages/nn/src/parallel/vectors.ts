import { type DType, Tensor, type TypedArray, tree } from "@chronograd/autodiff";
import { allocate, bytesOf, place } from "@chronograd/autodiff/extend";

type Leaf = Tensor | number;

function isLeaf(value: unknown): value is Leaf {
  return value instanceof Tensor || typeof value === "number";
}

/** True for instances of classes, tensors among them: no pass over a tree looks inside. */
function isInstance(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}

/**
 * A tree with `f` of every tensor. Throws a sentence where it holds what cannot be sent: an instance of a class, or a
 * tensor that is gone.
 */
export function mapTensors<T>(values: T, where: string, f: (x: Tensor) => Tensor): T {
  const visit = (value: object, path: string): Tensor => {
    const at = () => (path === "" ? "its root" : JSON.stringify(path));
    if (!(value instanceof Tensor)) {
      throw new TypeError(
        `${where}: expected tensors and numbers in plain objects and arrays, got an instance of ${value.constructor.name} at ${at()}`,
      );
    }
    if (value.block.holders > 0) return f(value);
    throw new Error(
      `${where}: the tensor at ${at()} is gone: ${value.block.end ?? "nothing holds it"}`,
    );
  };
  return tree.map<T, Tensor, object>(values, visit, isInstance) as T;
}

/** Elements that lie together. The view is taken anew each time: kernel memory moves when it grows. */
interface Piece {
  readonly size: number;
  readonly view: () => TypedArray;
}

/** Bytes at whose multiples pieces begin: engines copy shared memory byte by byte where words do not line up. */
export const alignment = 64;

/** The least multiple of the alignment that is not less, in elements. */
export function aligned(elements: number, dtype: DType): number {
  const step = alignment / bytesOf[dtype];
  return Math.ceil(elements / step) * step;
}

/** Pieces of one dtype as one long vector, each from a multiple of the alignment on. */
export class Vector {
  readonly dtype: DType;
  readonly length: number;
  /** The first of the tensors, if there are any. */
  readonly home: Tensor | undefined;
  readonly #pieces: readonly Piece[];

  constructor(dtype: DType, pieces: readonly Piece[], home: Tensor | undefined) {
    this.dtype = dtype;
    this.home = home;
    this.#pieces = pieces;
    this.length = pieces.reduce((sum, { size }) => sum + aligned(size, dtype), 0);
  }

  /** Fills `target` with the elements from position `from` on. */
  read(target: TypedArray, from: number): void {
    this.#each(from, target.length, (part, at) => target.set(part, at));
  }

  /** Puts `source` at position `from`. */
  write(source: TypedArray, from: number): void {
    this.#each(from, source.length, (part, at) => part.set(source.subarray(at, at + part.length)));
  }

  /** The parts of pieces that lie in `from` to `from + length`, and how far from `from` each begins. */
  #each(from: number, length: number, visit: (part: TypedArray, at: number) => void): void {
    let before = 0;
    for (const { size, view } of this.#pieces) {
      const start = Math.max(from, before);
      const end = Math.min(from + length, before + size);
      if (start < end) visit(view().subarray(start - before, end - before), start - from);
      before += aligned(size, this.dtype);
      if (before >= from + length) return;
    }
  }
}

/** A tree as vectors, one for each dtype that it has; numbers travel with float64. */
export class Vectors {
  /** One line for each leaf: path, dtype and shape. Workers' trees fit when these are the same. */
  readonly lines: readonly string[];
  readonly #tree: unknown;
  readonly #leaves: readonly Leaf[];

  constructor(values: unknown, where: string) {
    mapTensors(values, where, (x) => x);
    const found = tree.leavesWithPath<Leaf>(values, isLeaf);
    this.lines = found.map(([path, leaf]) => {
      const what = typeof leaf === "number" ? "a number" : `${leaf.dtype} [${leaf.shape}]`;
      return path === "" ? what : `${JSON.stringify(path)}: ${what}`;
    });
    this.#tree = values;
    this.#leaves = found.map(([, leaf]) => leaf);
  }

  /** A new tree of the same structure, and for each dtype the elements to read and to write. */
  receive(): { result: () => unknown; vectors: { own: Vector; received: Vector }[] } {
    const targets = this.#leaves.map((leaf) => (typeof leaf === "number" ? leaf : like(leaf)));
    const [own, received] = [numbersIn(this.#leaves), numbersIn(targets)];
    const vectors = (["float64", "float32", "int32"] as const).map((dtype) => ({
      own: vectorOf(dtype, this.#leaves, own),
      received: vectorOf(dtype, targets, received),
    }));
    const result = (): unknown => {
      let [leaf, number] = [0, 0];
      const next = () => {
        const target = targets[leaf++]!;
        return typeof target === "number" ? received[number++]! : target;
      };
      return tree.map<unknown, Leaf, Leaf>(this.#tree, next, isLeaf);
    };
    return { result, vectors: vectors.filter((vector) => vector.own.length > 0) };
  }
}

/** A value of the same shape with unset contents, which lives as long as one computed from `x` would. */
function like(x: Tensor): Tensor {
  const value = allocate(x.backend, x.shape, x.dtype);
  value.block.window = x.block.window;
  return place(value);
}

function numbersIn(leaves: readonly Leaf[]): Float64Array {
  return Float64Array.from(leaves.filter((leaf) => typeof leaf === "number"));
}

function vectorOf(dtype: DType, leaves: readonly Leaf[], numbers: Float64Array): Vector {
  const tensors = leaves.filter((x): x is Tensor => x instanceof Tensor && x.dtype === dtype);
  const pieces: Piece[] = tensors.map((x) => ({ size: x.size, view: () => elementsOf(x) }));
  if (dtype === "float64") pieces.push({ size: numbers.length, view: () => numbers });
  return new Vector(dtype, pieces, tensors[0]);
}

function elementsOf(x: Tensor): TypedArray {
  const start = x.pointer / bytesOf[x.dtype];
  return x.backend.memory.views[x.dtype].subarray(start, start + x.size);
}
