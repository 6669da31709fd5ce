/**
 * Arbitraries for fast-check: shapes, tensors and pairs that broadcast, which shrink to the
 * smallest shape and the simplest values.
 *
 * @packageDocumentation
 */
import "../ops/fluent.ts";
import {
  Arbitrary,
  array,
  constant,
  integer,
  nat,
  type Random,
  type Stream,
  stream,
  tuple,
  Value,
} from "fast-check";
import type { Backend } from "../tensor/backend.ts";
import { tensor } from "../tensor/create.ts";
import type { FloatDType } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Which shapes to draw. */
export interface ShapeOptions {
  /** Fewest axes; 0 unless given. */
  readonly minRank?: number;
  /** Most axes; 3 unless given. */
  readonly maxRank?: number;
  /** Shortest axis; 1 unless given. 0 draws empty tensors too. */
  readonly minLength?: number;
  /** Longest axis; 4 unless given. */
  readonly maxLength?: number;
}

/** Which tensors to draw. */
export interface TensorOptions {
  /** A shape, or where to draw one from; `shapes()` unless given. */
  readonly shape?: Shape | Arbitrary<Shape>;
  /** float64 unless given. */
  readonly dtype?: FloatDType;
  /**
   * Largest size of an element; 2 unless given. Values are multiples of 1/64, so that a shrunk one
   * reads well.
   */
  readonly most?: number;
  /** Values that no element comes nearer to than 1/16, because a function has its kinks there. */
  readonly awayFrom?: readonly number[];
  readonly backend?: Backend;
}

/** Values that are simple when shrunk. */
const grid = 64;
const defaultShapes: Required<ShapeOptions> = {
  minRank: 0,
  maxRank: 3,
  minLength: 1,
  maxLength: 4,
};

/**
 * Shapes, smallest first: a scalar, then axes of the shortest length.
 *
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { shapes } from "@chronograd/autodiff/testing/fast-check";
 *
 * const found = fc.sample(shapes({ minRank: 2, maxRank: 2 }), { numRuns: 50, seed: 1 });
 * found.every((shape) => shape.length === 2); // => true
 * ```
 */
export function shapes(options: ShapeOptions = {}): Arbitrary<Shape> {
  const { minRank, maxRank, minLength, maxLength } = { ...defaultShapes, ...options };
  return array(integer({ min: minLength, max: maxLength }), {
    minLength: minRank,
    maxLength: maxRank,
    size: "max",
  });
}

/** A shape and whole numbers of grid steps, row by row: what tensors are drawn and shrunk as. */
interface Numbers {
  readonly shape: Shape;
  readonly steps: readonly number[];
}

/** Draws shapes with numbers, and shrinks both at once, so that the numbers that matter stay. */
class NumbersArbitrary extends Arbitrary<Numbers> {
  readonly #shapes: Arbitrary<Shape>;
  readonly #limits: Required<ShapeOptions> | undefined;
  readonly #most: number;

  /** Without limits the shape stays as it was drawn. */
  constructor(shapes: Arbitrary<Shape>, limits: Required<ShapeOptions> | undefined, most: number) {
    super();
    this.#shapes = shapes;
    this.#limits = limits;
    this.#most = most;
  }

  override generate(random: Random, bias: number | undefined): Value<Numbers> {
    const shape = this.#shapes.generate(random, bias).value;
    const steps = Array.from({ length: sizeOf(shape) }, () => {
      return random.nextInt(-this.#most, this.#most);
    });
    return new Value({ shape, steps }, undefined);
  }

  override canShrinkWithoutContext(_value: unknown): _value is Numbers {
    return false;
  }

  override shrink(value: Numbers): Stream<Value<Numbers>> {
    return stream(this.#smaller(value)).map((smaller) => new Value(smaller, undefined));
  }

  *#smaller({ shape, steps }: Numbers): Generator<Numbers> {
    if (this.#limits !== undefined) yield* smallerShapes({ shape, steps }, this.#limits);
    for (const [i, step] of steps.entries()) {
      const simpler = step === 0 ? [] : [0, Math.trunc(step / 2), step - Math.sign(step)];
      for (const n of new Set(simpler)) yield { shape, steps: steps.with(i, n) };
    }
  }
}

/**
 * Every axis dropped, at each of its places; then every axis halved, and shortened by each of its
 * places.
 */
function* smallerShapes(
  { shape, steps }: Numbers,
  { minRank, minLength }: Required<ShapeOptions>,
): Generator<Numbers> {
  const keep = (axis: number, chosen: (i: number) => boolean): number[] => {
    const inner = sizeOf(shape.slice(axis + 1));
    return steps.filter((_, k) => chosen(Math.floor(k / inner) % shape[axis]!));
  };
  for (const [axis, length] of shape.entries()) {
    if (shape.length <= minRank) break;
    for (let i = 0; i < length; i++) {
      yield { shape: shape.toSpliced(axis, 1), steps: keep(axis, (at) => at === i) };
    }
  }
  for (const [axis, length] of shape.entries()) {
    if (length <= minLength) continue;
    const half = length >> 1;
    if (half >= minLength && half > 0) {
      yield { shape: shape.with(axis, half), steps: keep(axis, (at) => at < half) };
      yield { shape: shape.with(axis, length - half), steps: keep(axis, (at) => at >= half) };
    }
    for (let i = 0; i < length; i++) {
      yield { shape: shape.with(axis, length - 1), steps: keep(axis, (at) => at !== i) };
    }
  }
}

/**
 * Tensors of moderate numbers. Shape and numbers shrink to the smallest shape that still fails, and
 * to zeros and short fractions in it.
 *
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { tensors } from "@chronograd/autodiff/testing/fast-check";
 * import { checkGradients } from "@chronograd/autodiff/testing";
 *
 * // abs has a kink at 0, so the tensors keep away from there.
 * fc.assert(
 *   fc.property(tensors({ awayFrom: [0] }), (x) => checkGradients((z) => z.abs(), x).ok),
 *   { seed: 1, numRuns: 20 },
 * );
 * ```
 */
export function tensors(options: TensorOptions = {}): Arbitrary<Tensor> {
  const { shape, dtype = "float64", most = 2, awayFrom = [], backend } = options;
  const steps = Math.floor(most * grid);
  const drawn = shape === undefined ? shapes() : isShape(shape) ? constant(shape) : shape;
  const limits = shape === undefined ? defaultShapes : undefined;
  return new NumbersArbitrary(drawn, limits, steps).map((numbers) => {
    const values = numbers.steps.map((n) => keepAway(n / grid, awayFrom));
    return tensor(Float64Array.from(values), {
      shape: numbers.shape,
      dtype,
      ...(backend && { backend }),
    });
  });
}

function isShape(shape: Shape | Arbitrary<Shape>): shape is Shape {
  return Array.isArray(shape);
}

/** A value, moved to the edge of a kink's surroundings where it lies inside of them. */
function keepAway(value: number, kinks: readonly number[]): number {
  const margin = 1 / 16;
  for (const kink of kinks) {
    if (Math.abs(value - kink) >= margin) continue;
    return value < kink ? kink - margin : kink + margin;
  }
  return value;
}

/**
 * Pairs of tensors whose shapes broadcast: axes of length 1, and axes that one of both lacks.
 *
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { broadcastablePairs } from "@chronograd/autodiff/testing/fast-check";
 * import { checkGradients } from "@chronograd/autodiff/testing";
 *
 * fc.assert(
 *   fc.property(broadcastablePairs(), (pair) => checkGradients(([a, b]) => a.mul(b), pair).ok),
 *   { seed: 1, numRuns: 20 },
 * );
 * ```
 */
export function broadcastablePairs(
  options: Omit<TensorOptions, "shape"> & ShapeOptions = {},
): Arbitrary<[Tensor, Tensor]> {
  return tuple(shapes(options), nat(), nat(), nat(), nat()).chain(
    ([shape, onesA, onesB, lackA, lackB]) => {
      const narrowed = (ones: number, lack: number): Shape =>
        shape
          .map((length, axis) => (((ones >> axis) & 1) === 1 ? 1 : length))
          .slice(Math.min(shape.length, lack % 3));
      const a = narrowed(onesA, lackA);
      return tuple(
        tensors({ ...options, shape: a }),
        tensors({ ...options, shape: narrowed(onesB, lackB) }),
      );
    },
  );
}
