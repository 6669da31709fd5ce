import type { TypedArray } from "./dtype.ts";
import { type Shape, sizeOf } from "./shape.ts";

/** A number, or arrays of them nested to any depth, rectangular. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** Typed arrays of one kind in arrays nested to any depth, rectangular. */
export type NestedArrays = ArrayBufferView | readonly NestedArrays[];

type TypedNumbers = ArrayBufferView & ArrayLike<number>;

/** A typed array of numbers, or a thrown sentence for what views bytes otherwise. @internal */
export function asNumbers(view: ArrayBufferView, where: string): TypedNumbers {
  const data = view as TypedNumbers;
  if (typeof data.length === "number" && typeof (data[0] ?? 0) === "number") return data;
  throw new TypeError(
    `${where}: expected a typed array of numbers, got a DataView or 64-bit integers`,
  );
}

function describePart(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return ArrayBuffer.isView(value) ? `a ${value.constructor.name}` : String(value);
}

/**
 * The parts of nested arrays at the depth of `shape`, appended to `flat`; throws for ragged
 * nesting.
 */
function flatten(
  value: unknown,
  shape: Shape,
  depth: number,
  flat: unknown[],
  where: string,
): void {
  if (depth === shape.length) {
    flat.push(value);
    return;
  }
  if (!Array.isArray(value) || value.length !== shape[depth]) {
    throw new RangeError(
      `${where}: expected an array of ${shape[depth]} at depth ${depth}, got ${describePart(value)}; nested arrays must be rectangular`,
    );
  }
  for (const part of value) flatten(part, shape, depth + 1, flat, where);
}

/** Numbers, or typed arrays of one kind and length, in nested arrays. @internal */
export function fromNested(
  value: unknown,
  where: string,
): { data: ArrayLike<number>; shape: Shape } {
  const shape: number[] = [];
  let first = value;
  for (; Array.isArray(first); first = first[0]) {
    shape.push(first.length);
    if (first.length === 0) return { data: [], shape };
  }
  const flat: unknown[] = [];
  flatten(value, shape, 0, flat, where);
  if (!ArrayBuffer.isView(first)) {
    const odd = flat.find((part) => typeof part !== "number");
    if (odd === undefined) return { data: flat as number[], shape };
    throw new TypeError(
      `${where}: expected a number at depth ${shape.length}, got ${describePart(odd)}; every nested array must be equally deep`,
    );
  }
  const { length, constructor: kind } = asNumbers(first, where);
  const data = new (kind as Float64ArrayConstructor)(length * flat.length);
  for (const [i, part] of flat.entries()) {
    const isAlike = ArrayBuffer.isView(part) && part.constructor === kind;
    if (!isAlike || (part as TypedNumbers).length !== length) {
      const got = isAlike ? `one of ${(part as TypedNumbers).length}` : describePart(part);
      throw new TypeError(
        `${where}: expected a ${kind.name} of ${length} at depth ${shape.length}, got ${got}; nested typed arrays must be of one kind and length`,
      );
    }
    data.set(part as TypedNumbers, i * length);
  }
  return { data, shape: [...shape, length] };
}

/** Nested arrays from flat row-major elements. @internal */
export function readNested(data: TypedArray, shape: Shape): NestedNumbers {
  if (shape.length === 0) return data[0]!;
  let level: NestedNumbers[] = Array.from(data);
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const length = shape[axis]!;
    const count = sizeOf(shape.slice(0, axis));
    level = Array.from({ length: count }, (_, i) => level.slice(i * length, (i + 1) * length));
  }
  return level;
}
