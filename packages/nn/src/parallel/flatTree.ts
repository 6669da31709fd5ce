import { type DType, Tensor, type TypedArray, tree } from "@chronograd/autodiff";
import { bytesOf } from "@chronograd/autodiff/extend";
import { allocate, checkAlive, giveOwner } from "@chronograd/autodiff/internal";

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
 * A tree with `f` of every tensor. Throws a sentence where it holds what cannot be sent: an
 * instance of a class, or a tensor that is gone.
 */
export function mapTensors<T>(values: T, where: string, f: (x: Tensor) => Tensor): T {
  const visit = (value: object, path: string): Tensor => {
    const at = () => (path === "" ? "its root" : JSON.stringify(path));
    if (!(value instanceof Tensor)) {
      throw new TypeError(
        `${where}: expected tensors and numbers in plain objects and arrays, got an instance of ${value.constructor.name} at ${at()}`,
      );
    }
    checkAlive(value, where, () => `the tensor at ${at()}`);
    return f(value);
  };
  return tree.map<T, Tensor, object>(values, visit, isInstance) as T;
}

/**
 * Bytes at whose multiples pieces begin: engines copy shared memory byte by byte where words do not
 * line up.
 */
const alignment = 64;

/** The least multiple of the alignment that is not less, in elements. */
export function aligned(elements: number, dtype: DType): number {
  const step = alignment / bytesOf[dtype];
  return Math.ceil(elements / step) * step;
}

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;

/** Elements `start` to `end` of a message. */
export function viewOf(message: Uint8Array, dtype: DType, start: number, end: number): TypedArray {
  // To typed arrays shared and unshared buffers are alike, but not to their types.
  const buffer = message.buffer as ArrayBuffer;
  return new arrays[dtype](buffer, message.byteOffset + start * bytesOf[dtype], end - start);
}

/** Contiguous elements. */
type Piece = Tensor | Float64Array;

function sizeOf(piece: Piece): number {
  return piece instanceof Tensor ? piece.size : piece.length;
}

/** The elements themselves. The view is taken anew each time: kernel memory moves when it grows. */
function elementsOf(piece: Piece): TypedArray {
  if (!(piece instanceof Tensor)) return piece;
  const start = piece.pointer / bytesOf[piece.dtype];
  return piece.backend.memory.views[piece.dtype].subarray(start, start + piece.size);
}

/** Pieces of one dtype as one long vector, each from a multiple of the alignment on. */
export class FlatVector {
  readonly dtype: DType;
  readonly length: number;
  /** The first of the tensors, if there are any. */
  readonly home: Tensor | undefined;
  readonly #pieces: readonly Piece[];

  constructor(dtype: DType, leaves: readonly Leaf[], numbers: Float64Array) {
    const tensors = leaves.filter((x): x is Tensor => x instanceof Tensor && x.dtype === dtype);
    this.dtype = dtype;
    this.home = tensors[0];
    this.#pieces = dtype === "float64" ? [...tensors, numbers] : tensors;
    this.length = this.#pieces.reduce((sum, piece) => sum + aligned(sizeOf(piece), dtype), 0);
  }

  /** Fills `target` with the elements from position `from` on. */
  read(target: TypedArray, from: number): void {
    this.#each(from, target.length, (part, at) => target.set(part, at));
  }

  /** Puts `source` at position `from`. */
  write(source: TypedArray, from: number): void {
    this.#each(from, source.length, (part, at) => part.set(source.subarray(at, at + part.length)));
  }

  /**
   * The parts of pieces that lie in `from` to `from + length`, and how far from `from` each begins.
   */
  #each(from: number, length: number, visit: (part: TypedArray, at: number) => void): void {
    let before = 0;
    for (const piece of this.#pieces) {
      const start = Math.max(from, before);
      const end = Math.min(from + length, before + sizeOf(piece));
      if (start < end) {
        visit(elementsOf(piece).subarray(start - before, end - before), start - from);
      }
      before += aligned(sizeOf(piece), this.dtype);
      if (before >= from + length) return;
    }
  }
}

/** A tree as vectors, one for each dtype that it has; numbers travel with float64. */
export class FlatTree {
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
  receive(): { result: () => unknown; vectors: { own: FlatVector; received: FlatVector }[] } {
    const targets = this.#leaves.map((leaf) => (typeof leaf === "number" ? leaf : like(leaf)));
    const numbers = Float64Array.from(this.#leaves.filter((leaf) => typeof leaf === "number"));
    const received = numbers.slice();
    const vectors = (["float64", "float32", "int32"] as const).map((dtype) => ({
      own: new FlatVector(dtype, this.#leaves, numbers),
      received: new FlatVector(dtype, targets, received),
    }));
    const result = (): unknown => {
      let [leaf, number] = [0, 0];
      const next = () => {
        const target = targets[leaf++]!;
        return typeof target === "number" ? received[number++]! : target;
      };
      return tree.map<unknown, Leaf, Leaf>(this.#tree, next, isLeaf);
    };
    return { result, vectors: vectors.filter(({ own }) => own.length > 0) };
  }
}

/**
 * A value of the same shape with unset contents, which lives as long as one computed from `x`
 * would.
 */
function like(x: Tensor): Tensor {
  const value = allocate(x.backend, x.shape, x.dtype);
  value.block.window = x.block.window;
  return giveOwner(value);
}
