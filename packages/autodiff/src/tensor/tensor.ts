import type { Backend } from "./backend.ts";
import { Block, currentRegion, holdUntilCollected, type Owner, releaseEarly } from "./block.ts";
import { checkAlive } from "./checks.ts";
import { arrayOf, bytesOf, type DType, type TypedArray } from "./dtype.ts";
import { type NestedNumbers, readNested } from "./nested.ts";
import type { Recorder } from "./recorder.ts";
import { format, type Shape, sizeOf } from "./shape.ts";
import { textOf } from "./text.ts";

/**
 * An immutable n-dimensional array in kernel memory, row-major and contiguous.
 *
 * Make one with `tensor`, `zeros` or an op. Ops are methods as well as functions: `x.tanh()` is
 * `tanh(x)`.
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * [x.shape, x.rank, x.size, x.dtype]; // => [[2, 3], 2, 6, "float32"]
 * x.sum(0).toArray(); // => [5, 7, 9]
 * ```
 */
export class Tensor {
  /** Lengths along each axis. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  /** The bytes behind this value. @internal */
  block: Block;
  /** Byte offset into the block. @internal */
  readonly byteOffset: number;
  /** The recorder that this value is tracked by. @internal */
  readonly tape: Recorder | null;
  /** Position on that recorder: an entry when at least 0, a watched leaf otherwise. @internal */
  readonly id: number;
  /** The same value without that recorder's tracking. @internal */
  readonly primal: Tensor | null;
  /**
   * What took the places of this value, one after the other, ends here. All of them share it, so
   * that none holds another but the last. @internal
   */
  line: { latest: Tensor } | null = null;
  /**
   * In whose name the garbage collector's net holds the bytes, if it does: nothing else knows it
   * but the values that took this one's place, one after the other. @internal
   */
  owner: Owner | null = null;

  /** @internal */
  constructor(
    block: Block,
    byteOffset: number,
    shape: Shape,
    size: number,
    dtype: DType,
    tape: Recorder | null,
    id: number,
    primal: Tensor | null,
  ) {
    this.block = block;
    this.byteOffset = byteOffset;
    this.shape = shape;
    this.size = size;
    this.dtype = dtype;
    this.tape = tape;
    this.id = id;
    this.primal = primal;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  get backend(): Backend {
    return this.block.backend;
  }

  /** What took the place of this value, which was consumed; the last of them. @internal */
  get successor(): Tensor | null {
    const { line } = this;
    return line === null || line.latest === this ? null : line.latest;
  }

  /** Byte address of the first element, for kernels. It holds as long as the value lives. */
  get pointer(): number {
    return this.block.pointer + this.byteOffset;
  }

  /** The elements, copied out in row-major order. Throws when the value is gone. */
  toTypedArray(): TypedArray {
    checkAlive(this, "toTypedArray");
    const start = this.pointer / bytesOf[this.dtype];
    return this.block.backend.memory.views[this.dtype].slice(start, start + this.size);
  }

  /**
   * The elements as nested arrays of numbers; a plain number for a scalar. Name the nesting where
   * you know it: `x.toArray<number[]>()`. Throws when the value is gone.
   */
  toArray<Nested = NestedNumbers>(): Nested {
    return readNested(this.toTypedArray(), this.shape) as Nested;
  }

  /**
   * The only element, as a number. Throws when there is more than one, or when the value is gone.
   */
  item(): number {
    if (this.size !== 1) {
      throw new RangeError(
        `item: expected a tensor of one element, got shape ${format(this.shape)}; reduce it first, or use toArray()`,
      );
    }
    checkAlive(this, "item");
    return this.block.backend.memory.views[this.dtype][this.pointer / bytesOf[this.dtype]]!;
  }

  /**
   * The elements as NumPy prints them, with dtype and shape: columns rounded to what float32 or 8
   * decimals tell, and only the first and last three along each axis where there are more than
   * 1,000. Node prints tensors so too.
   *
   * @example
   * ```ts
   * import { tensor } from "@chronograd/autodiff";
   *
   * String(tensor([[1, 0.5], [-0.25, 12]])); // =>
   * // tensor([[ 1.00,  0.50],
   * //         [-0.25, 12.00]], float32 [2,2])
   * ```
   */
  toString(): string {
    return textOf(this);
  }

  /**
   * The same value as a constant: nothing flows back through it on any tape. No copy.
   *
   * @example
   * ```ts
   * import { grad, tensor } from "@chronograd/autodiff";
   *
   * grad((x) => x.mul(x.detach()).sum())(tensor([3])).toArray(); // => [3]
   * ```
   */
  detach(): Tensor {
    if (this.tape === null) return this;
    const value = innermostPrimal(this);
    checkAlive(value, "detach");
    return giveOwner(alias(value, value.shape));
  }

  static {
    // What `console.log` shows in Node.
    Object.defineProperty(Tensor.prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value(this: Tensor) {
        return textOf(this);
      },
    });
  }
}

/** A new value with unset contents that nothing holds yet. */
export function allocate(backend: Backend, shape: Shape, dtype: DType): Tensor {
  const size = sizeOf(shape);
  const bytes = size * bytesOf[dtype];
  const block = new Block(backend, backend.memory.allocate(bytes), bytes);
  return new Tensor(block, 0, shape, size, dtype, null, 0, null);
}

/** The same bytes under another shape, from `start` elements on; nothing holds it yet. */
export function alias(x: Tensor, shape: Shape, start = 0): Tensor {
  const byteOffset = x.byteOffset + start * bytesOf[x.dtype];
  return new Tensor(x.block, byteOffset, shape, sizeOf(shape), x.dtype, null, 0, null);
}

/** `x` as tracked by `tape` at `id`. @internal */
export function track(x: Tensor, tape: Recorder, id: number): Tensor {
  return new Tensor(x.block, x.byteOffset, x.shape, x.size, x.dtype, tape, id, x);
}

/** `x` without any tracking: the value beneath every recorder. @internal */
export function innermostPrimal(x: Tensor): Tensor {
  let value = x;
  while (value.primal !== null) value = value.primal;
  return value;
}

/**
 * Gives an untracked value its owner: the innermost scope; else the window that it was computed
 * from; else itself, with the garbage collector as the net.
 */
export function giveOwner(value: Tensor): Tensor {
  const { block } = value;
  const scope = currentRegion();
  if (scope !== null) scope.hold(block);
  else if (block.window !== null && block.window.ended === undefined) block.window.hold(block);
  else value.owner ??= holdUntilCollected(block);
  return value;
}

/** Takes a value from the garbage collector's net, if it is there. @internal */
export function releaseHold(x: Tensor, reason: string): void {
  if (x.owner === null) return;
  releaseEarly(x.owner, reason);
  x.owner = null;
}

/** Copies a typed array into a new value. @internal */
export function fromTypedArray(
  backend: Backend,
  data: ArrayLike<number>,
  shape: Shape,
  dtype: DType,
): Tensor {
  const home = backend.parent ?? backend;
  const value = allocate(home, shape, dtype);
  home.memory.views[dtype].set(data, value.pointer / arrayOf[dtype].BYTES_PER_ELEMENT);
  return value;
}

/** Whether nobody else needs the bytes of a value, and they are its whole block. */
export function isUniquelyHeld({ block, size, dtype }: Tensor): boolean {
  return block.holders === 1 && block.bytes === size * bytesOf[dtype];
}
