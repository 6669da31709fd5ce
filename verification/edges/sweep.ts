import { type FloatDType, grad, jvp, scope, type Tensor, tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { type Rng, rng } from "@chronograd/nn";
import { Tally, values } from "../tally.ts";
import { Big } from "./big.ts";
import { formats } from "./draw.ts";

/**
 * A function of one or two numbers with its exact derivatives: `order + 1` of them for `order`
 * inputs.
 */
export interface Subjected {
  readonly f: (...x: Tensor[]) => Tensor;
  draw(random: Rng, dtype: FloatDType): number[][];
  /** Whether the law covers derivatives of this order (0: first, 1: second) at this point. */
  holds(x: readonly Big[], order: number, largest: Big): boolean;
  /** By the first input, by the second; twice by the first, by both, twice by the second. */
  truth(x: readonly Big[], order: number): readonly Big[];
  /**
   * Errors beside the last places of the derivatives themselves that are allowed for, in units of
   * rounding.
   */
  slack(x: readonly Big[], order: number): readonly Big[];
  /** Smallest subnormals by which derivatives may miss. */
  lost(x: readonly Big[], order: number): Big;
}

/** How far a number is from the truth, in units of rounding; beyond the range infinity is right. */
function distance(
  found: number,
  truth: Big,
  slack: Big,
  lost: Big,
  { least, bits, largest }: (typeof formats)[FloatDType],
): number {
  const size = truth.abs();
  const inUnits = (error: Big): number => {
    const unit = size.add(slack).shift(-bits);
    if (error.sign <= 0) return 0;
    return unit.sign === 0 ? Infinity : error.div(unit).toNumber();
  };
  if (Number.isFinite(found)) return inUnits(truth.sub(found).abs().sub(lost.shift(least)));
  // What overflows by rounding alone counts as the largest number.
  return Math.sign(found) === truth.sign ? inUnits(largest.sub(size)) : Infinity;
}

type Field = (...x: Tensor[]) => Tensor;
/** The derivative by one input, as a function of all. */
type Derive = (f: Field, by: number) => Field;

const reverse: Derive =
  (f, by) =>
  (...x) =>
    grad((z: Tensor) => f(...x.with(by, z)).sum())(x[by]!);
const forward: Derive =
  (f, by) =>
  (...x) =>
    jvp((z: Tensor) => f(...x.with(by, z)), x[by]!, ones(x[by]!))[1] as Tensor;

function ones(like: Tensor): Tensor {
  return tensor(new Float64Array(like.size).fill(1)).cast(like.dtype).detach();
}

const modes = { reverse, forward };

interface Found {
  readonly what: string;
  readonly field: Field;
  /** Which of the derivatives of its order this is. */
  readonly at: number;
}

/** All derivatives of an order, in all ways of taking them. */
function derivatives(f: Field, inputs: number, order: number): Found[] {
  const below = order === 0 ? [{ what: "", field: f, at: 0 }] : derivatives(f, inputs, order - 1);
  return below.flatMap(({ what, field, at }) =>
    Object.entries(modes).flatMap(([mode, derive]) =>
      Array.from({ length: inputs }, (_, by) => ({
        what: `${mode} by ${"ab"[by]}${what === "" ? "" : ` of ${what}`}`,
        field: derive(field, by),
        at: at + by,
      })),
    ),
  );
}

const laws = [
  {
    name: "first derivative",
    statement:
      "over all exponents, both modes give the exact first derivative within so many units of rounding, infinity beyond the range",
    bound: 8,
  },
  {
    name: "second derivative",
    statement:
      "over all exponents, each mode of each mode gives the exact second derivative within so many units of rounding",
    bound: 24,
  },
];

/** Both derivatives over all magnitudes. */
export function sweepLaws(subject: Subjected, dtype: FloatDType): Law[] {
  const format = formats[dtype];
  return laws.map((law, order) => ({
    ...law,
    measure: (seed) =>
      scope(() => {
        const tally = new Tally();
        const rows = subject
          .draw(rng(seed, "sweep"), dtype)
          .map((row) => ({ row, x: row.map((value) => Big.of(value)) }))
          .filter(({ x }) => subject.holds(x, order, format.largest))
          .map(({ row, x }) => ({
            row,
            truth: subject.truth(x, order),
            slack: subject.slack(x, order),
            lost: subject.lost(x, order),
          }));
        const inputs = rows[0]?.row.length ?? 1;
        const columns = Array.from({ length: inputs }, (_, k) =>
          tensor(Float64Array.from(rows, ({ row }) => row[k]!))
            .cast(dtype)
            .detach(),
        );
        for (const { what, field, at } of derivatives(subject.f, inputs, order)) {
          for (const [i, found] of values(field(...columns)).entries()) {
            const { row, truth, slack, lost } = rows[i]!;
            tally.add(distance(found, truth[at]!, slack[at]!, lost, format), () => {
              return `${what} at (${row.join(", ")}): ${found}, expected ${truth[at]!.toNumber()}`;
            });
          }
        }
        return tally;
      }),
  }));
}
