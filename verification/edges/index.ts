import type { FloatDType } from "@chronograd/autodiff";
import type { Subject } from "../subject.ts";
import { Big } from "./big.ts";
import type { Curve } from "./curve.ts";
import { curves } from "./curves.ts";
import { numbers, pairs } from "./draw.ts";
import { losses } from "./losses.ts";
import { type Surface, surfaces } from "./surfaces.ts";
import { type Subjected, sweepLaws } from "./sweep.ts";

const zero = Big.of(0);
/** Products of few factors miss by so many of the smallest subnormals. */
const few = Big.of(4);

function ofCurve(curve: Curve): Subjected {
  const { f, first, second, domain, near = [], slack, lost } = curve;
  return {
    f: (x) => f(x!),
    draw: (random, dtype) => numbers(random, dtype, near).map((x) => [x]),
    holds: ([x]) => domain?.(x!) ?? true,
    truth: ([x], order) => [order === 0 ? first(x!) : second(x!)],
    slack: ([x], order) => [slack?.[order]?.(x!) ?? zero],
    lost: ([x]) => lost?.(x!) ?? few,
  };
}

function ofSurface(surface: Surface): Subjected {
  const { f, partials, domain, smooth, slack, lost, areAlike = false } = surface;
  const part = <T>(five: readonly T[], order: number) =>
    order === 0 ? five.slice(0, 2) : five.slice(2);
  return {
    f: (a, b) => f(a!, b!),
    draw: (random, dtype) => pairs(random, dtype, areAlike),
    holds: ([a, b], order, largest) =>
      (domain?.(a!, b!, largest) ?? true) && (order === 0 || (smooth?.(a!, b!, largest) ?? true)),
    truth: ([a, b], order) => part(partials(a!, b!), order),
    slack: ([a, b], order) => part(slack?.(a!, b!) ?? new Array<Big>(5).fill(zero), order),
    lost: ([a, b], order) => lost?.(a!, b!)[order] ?? few,
  };
}

function subjectsOf(dtype: FloatDType): Subject[] {
  const group = `derivatives over all magnitudes, ${dtype}`;
  return [
    ...curves.map((curve) => ({
      name: curve.name,
      group,
      laws: sweepLaws(ofCurve(curve), dtype),
    })),
    ...[...surfaces, ...losses].map((surface) => ({
      name: surface.name,
      group,
      laws: sweepLaws(ofSurface(surface), dtype),
    })),
  ];
}

/**
 * First and second derivatives over the whole range of both floats, against true values of 77
 * digits.
 */
export function edgeSubjects(): Subject[] {
  return [...subjectsOf("float64"), ...subjectsOf("float32")];
}
