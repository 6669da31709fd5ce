import { Big } from "./big.ts";

const one = Big.of(1);

/** The sum of `term`, where each follows from the one before by a factor, until they vanish. */
function series(first: Big, next: (term: Big, n: number) => Big): Big {
  let sum = first;
  let term = first;
  for (let n = 1; term.sign !== 0; n++) {
    term = next(term, n);
    if (sum.exponent - term.exponent > Big.precision + 8) break;
    sum = sum.add(term);
  }
  return sum;
}

const kept = new Map<string, Big>();

/** A constant at the present precision, computed once for each. */
function constant(name: string, make: () => Big): Big {
  const key = `${name} ${Big.precision}`;
  const found = kept.get(key) ?? make();
  kept.set(key, found);
  return found;
}

/** `atan(1/n)` or `atanh(1/n)` by their series. */
function inverse(n: number, sign: 1 | -1): Big {
  const square = n * n * sign;
  let power = one.div(n);
  let sum = power;
  for (let k = 3; sum.exponent - power.exponent <= Big.precision + 8; k += 2) {
    power = power.div(square);
    sum = sum.add(power.div(k));
  }
  return sum;
}

/** Machin 1706: `16 atan(1/5) - 4 atan(1/239)`. */
export function pi(): Big {
  return constant("pi", () => inverse(5, -1).mul(16).sub(inverse(239, -1).mul(4)));
}

function ln2(): Big {
  return constant("ln2", () => inverse(3, 1).mul(2));
}

/** Where `e^x` is far beyond any float. */
const far = 2 ** 16;

/** `e^x - 1`, accurate near 0. */
export function expm1(x: Big): Big {
  if (x.abs().isLess(0.5)) return series(x, (term, n) => term.mul(x).div(n + 1));
  return exp(x).sub(1);
}

/** `e^x`; where no float could tell, `2^-65536` or `2^65536`. */
export function exp(x: Big): Big {
  if (!x.abs().isLess(far)) return one.shift(x.sign * far);
  const k = Number(x.div(ln2()).round());
  const r = x.sub(ln2().mul(k));
  return series(one, (term, n) => term.mul(r).div(n)).shift(k);
}

/** `log x` by Newton's iteration on `e^y = x`, of third order. */
export function log(x: Big): Big {
  const k = x.exponent;
  const m = x.shift(-k);
  let y = ln2().mul(k).add(Math.log(m.toNumber()));
  for (let i = 0; i < 6; i++) {
    const e = exp(y);
    y = y.add(x.sub(e).mul(2).div(x.add(e)));
  }
  return y;
}

/** Sine and cosine, the argument reduced by as many digits of pi as it takes. */
export function sinCos(x: Big): [sin: Big, cos: Big] {
  const bits = Big.precision + Math.max(0, x.exponent) + 64;
  const [r, quarter] = Big.within(bits, () => {
    const half = pi().div(2);
    const k = x.div(half).round();
    return [x.sub(half.mul(Big.scaled(k, 0))), Number(((k % 4n) + 4n) % 4n)] as const;
  });
  const square = r.mul(r).neg();
  const s = series(r, (term, n) => term.mul(square).div(2 * n * (2 * n + 1)));
  const c = series(one, (term, n) => term.mul(square).div(2 * n * (2 * n - 1)));
  const turned = [s, c, s.neg(), c.neg()];
  return [turned[quarter]!, turned[(quarter + 1) % 4]!];
}

export function sinh(x: Big): Big {
  if (Big.of(1).isLess(x.abs())) return exp(x).sub(exp(x.neg())).div(2);
  const grown = expm1(x);
  return grown.add(grown.div(grown.add(1))).div(2);
}

export function cosh(x: Big): Big {
  const e = exp(x);
  return e.add(one.div(e)).div(2);
}

export function tanh(x: Big): Big {
  return sinh(x).div(cosh(x));
}

/** `1 / (1 + e^-x)`. */
export function sigmoid(x: Big): Big {
  return one.div(exp(x.neg()).add(1));
}

/** The slope of the sigmoid. */
export function logistic(x: Big): Big {
  return sigmoid(x).mul(sigmoid(x.neg()));
}

/** `exp(-x^2/2) / sqrt(2 pi)`. */
export function density(x: Big): Big {
  return exp(x.mul(x).div(-2)).div(pi().mul(2).sqrt());
}

/**
 * The normal distribution function: `1/2 + density (x + x^3/3 + x^5/15 + ...)`, with the bits that
 * are lost below 0; 0 where no float64 could tell.
 */
export function cumulative(x: Big): Big {
  if (x.isLess(-40)) return Big.of(0);
  if (Big.of(40).isLess(x)) return one;
  const lost = Math.ceil(x.mul(x).toNumber()) + 16;
  return Big.within(Big.precision + lost, () => {
    const square = x.mul(x);
    const sum = series(x, (term, n) => term.mul(square).div(2 * n + 1));
    return density(x).mul(sum).add(0.5);
  });
}
