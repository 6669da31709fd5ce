/** Lengths along each axis; `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis]!;
  return size;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** True when both have the same lengths. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** `[2,3]`, as errors print it. */
export function format(shape: Shape): string {
  return `[${shape.join(",")}]`;
}

/**
 * The shape both operands broadcast to (NumPy's rule: align at the right, 1 stretches), or a thrown
 * sentence.
 */
export function broadcastShapes(a: Shape, b: Shape, where: string): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const result = new Array<number>(rank);
  for (let axis = 1; axis <= rank; axis++) {
    const m = a[a.length - axis] ?? 1;
    const n = b[b.length - axis] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new RangeError(
        `${where}: shapes ${format(a)} and ${format(b)} do not broadcast: ${m} and ${n} meet on axis ${rank - axis}, and neither is 1`,
      );
    }
    result[rank - axis] = m === 1 ? n : m;
  }
  return result;
}

/** True when `from` broadcasts to exactly `to`. */
export function broadcastsTo(from: Shape, to: Shape): boolean {
  if (from.length > to.length) return false;
  for (let axis = 1; axis <= from.length; axis++) {
    const m = from[from.length - axis]!;
    if (m !== 1 && m !== to[to.length - axis]) return false;
  }
  return true;
}

/** An axis counted from the front, from one that may be counted from the back. */
export function normalizeAxis(axis: number, rank: number, where: string): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const range =
      rank === 0 ? "a scalar has no axes" : `expected an integer from ${-rank} to ${rank - 1}`;
    throw new RangeError(`${where}: axis ${axis} is out of range for rank ${rank}; ${range}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** Sorted, distinct axes; all of them when none are named. */
export function normalizeAxes(
  axes: number | readonly number[] | undefined,
  rank: number,
  where: string,
): readonly number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  if (typeof axes === "number") return [normalizeAxis(axes, rank, where)];
  const list = axes;
  if (!Array.isArray(list)) {
    throw new TypeError(
      `${where}: axes must be a number or an array of numbers, got ${typeof axes}`,
    );
  }
  const result = list.map((axis) => normalizeAxis(axis, rank, where)).sort((a, b) => a - b);
  for (let i = 1; i < result.length; i++) {
    if (result[i] === result[i - 1]) {
      throw new RangeError(
        `${where}: axis ${result[i]} is named twice in ${format(list)}; name each axis once`,
      );
    }
  }
  return result;
}

/** The shape left after reducing `axes`, with ones in their places when `keepDims`. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
  const result: number[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    if (!axes.includes(axis)) result.push(shape[axis]!);
    else if (keepDims) result.push(1);
  }
  return result;
}

/** Throws a sentence unless every length is a whole number of at least zero. */
export function checkShape(shape: Shape, where: string): void {
  if (!Array.isArray(shape)) {
    throw new TypeError(
      `${where}: expected an array of lengths such as [2, 3], got ${String(shape)}`,
    );
  }
  for (const length of shape) {
    if (!Number.isInteger(length) || length < 0) {
      throw new RangeError(
        `${where}: shape ${format(shape)} has length ${length}; expected whole numbers of at least 0`,
      );
    }
  }
}
