/** Inputs of up to so many elements are tested one element at a time, larger ones by directions and bisection. */
const fewElements = 96;

/**
 * The element of a cotangent that differs most from differences; `undefined` when none does, -1 when the differences
 * decide nothing. Large ones are tested along a random direction, and halved down to one element where that differs.
 */
export function worstOf(
  n: number,
  tolerance: number,
  found: Float64Array,
  along: (v: (i: number) => number) => { values: Float64Array; uncertainties: Float64Array },
  random: () => number,
  note: (error: number) => void,
): number | undefined {
  const compare = (v: Float64Array, low: number, high: number): number => {
    const inside = (i: number) => (i >= low && i < high ? v[i]! : 0);
    const { values, uncertainties } = along(inside);
    let analytic = 0;
    for (let i = low; i < high; i++) analytic += v[i]! * found[i]!;
    const scale = Math.max(1, Math.abs(values[0]!));
    if (!(uncertainties[0]! / scale <= tolerance)) return -1;
    const error = relative(analytic, values[0]!);
    note(error);
    return error;
  };
  let isDecided = true;
  if (n <= fewElements) {
    const one = new Float64Array(n).fill(1);
    let worst: number | undefined;
    let error = tolerance;
    for (let i = 0; i < n; i++) {
      const here = compare(one, i, i + 1);
      if (here === -1) isDecided = false;
      else if (!(here <= error)) {
        worst = i;
        error = here;
      }
    }
    return worst ?? (isDecided ? undefined : -1);
  }
  const v = Float64Array.from({ length: n }, () => random() || 0.5);
  const whole = compare(v, 0, n);
  if (whole === -1) return -1;
  if (whole <= tolerance) return undefined;
  let [low, high] = [0, n];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (compare(v, low, middle) > compare(v, middle, high)) high = middle;
    else low = middle;
  }
  return low;
}

/** `<a, b>`. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The largest size of an element. */
export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

/** |a - b| relative to the larger of both and 1; NaN counts as infinite. */
export function relative(a: number, b: number): number {
  const error = Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b));
  return Number.isNaN(error) ? Infinity : error;
}
