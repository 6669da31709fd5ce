export type FloatDtype = "float32" | "float64";

const most = { float32: (2 - 2 ** -23) * 2 ** 127, float64: Number.MAX_VALUE } as const;
const word = new DataView(new ArrayBuffer(8));

/** Spacings by biased exponent, `digits` behind the point and no exponent below `least`. */
const spacings = (least: number, digits: number): number[] =>
  Array.from({ length: 2047 }, (_, biased) => 2 ** (Math.max(biased - 1023, least) - digits));
const table = { float32: spacings(-126, 23), float64: spacings(-1022, 52) } as const;

/** Distance between neighbouring numbers of the dtype at `x`. */
function spacing(dtype: FloatDtype, x: number): number {
  word.setFloat64(0, Math.min(Math.abs(x), most[dtype]));
  return table[dtype][word.getUint32(0) >>> 20]!;
}

const isNegative = (x: number): boolean => x < 0 || Object.is(x, -0);

/**
 * The error of `got` in units of the last place of `truth`, which may be more precise than the
 * dtype. Infinity counts as the power of two at which the dtype ends, NaN must meet NaN, and signs
 * must agree, those of zeros too.
 */
export function ulps(dtype: FloatDtype, got: number, truth: number): number {
  if (Object.is(got, truth)) return 0;
  if (Number.isNaN(got) || Number.isNaN(truth) || isNegative(got) !== isNegative(truth)) {
    return Infinity;
  }
  const unit = spacing(dtype, truth);
  if (Math.abs(got) <= most[dtype] && Math.abs(truth) <= most[dtype]) {
    return Math.abs(got - truth) / unit;
  }
  const end = most[dtype] / 2 + unit / 2;
  const half = (x: number): number => Math.min(Math.abs(x) / 2, end);
  return (2 * Math.abs(half(got) - half(truth))) / unit;
}
