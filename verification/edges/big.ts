/**
 * Numbers `m 2^e` of 256 bits (77 digits), with any exponent: the true values for derivatives in
 * floating point.
 */
export class Big {
  private readonly m: bigint;
  private readonly e: number;

  private constructor(m: bigint, e: number) {
    this.m = m;
    this.e = e;
  }

  /** `m 2^e`, rounded to the precision. */
  static scaled(m: bigint, e: number): Big {
    if (m === 0n) return zero;
    const over = bitLength(m) - precision;
    if (over <= 0) return new Big(m, e);
    const half = 1n << BigInt(over - 1);
    return new Big((m + half) >> BigInt(over), e + over);
  }

  /** A finite number, exactly. */
  static of(x: number): Big {
    if (x === 0) return zero;
    if (!Number.isFinite(x)) throw new RangeError(`Big.of: expected a finite number, got ${x}`);
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, x);
    const word = bits.getBigUint64(0);
    const exponent = Number((word >> 52n) & 0x7ffn);
    const fraction = word & 0xfffffffffffffn;
    const m = exponent === 0 ? fraction : fraction | (1n << 52n);
    return new Big(x < 0 ? -m : m, Math.max(exponent, 1) - 1075);
  }

  get sign(): number {
    return this.m === 0n ? 0 : this.m < 0n ? -1 : 1;
  }

  /** `k` where `2^k <= |x| < 2^(k+1)`. */
  get exponent(): number {
    return this.m === 0n ? -Infinity : this.e + bitLength(this.m) - 1;
  }

  neg(): Big {
    return new Big(-this.m, this.e);
  }

  abs(): Big {
    return this.m < 0n ? this.neg() : this;
  }

  add(given: Big | number): Big {
    const other = asBig(given);
    if (this.m === 0n) return other;
    if (other.m === 0n) return this;
    const [high, low] = this.e >= other.e ? [this, other] : [other, this];
    // A term that lies entirely below the precision is dropped.
    if (high.exponent - low.exponent > 2 * precision) return high;
    if (low.exponent - high.exponent > 2 * precision) return low;
    return Big.scaled((high.m << BigInt(high.e - low.e)) + low.m, low.e);
  }

  sub(other: Big | number): Big {
    return this.add(asBig(other).neg());
  }

  mul(given: Big | number): Big {
    const other = asBig(given);
    return Big.scaled(this.m * other.m, this.e + other.e);
  }

  div(given: Big | number): Big {
    const other = asBig(given);
    const shift = Math.max(0, 2 * precision - bitLength(this.m) + bitLength(other.m));
    return Big.scaled((this.m << BigInt(shift)) / other.m, this.e - shift - other.e);
  }

  /** `x^n` for a whole number. */
  power(n: number): Big {
    if (n < 0) return Big.of(1).div(this.power(-n));
    let result = Big.of(1);
    for (let i = 0; i < n; i++) result = result.mul(this);
    return result;
  }

  sqrt(): Big {
    if (this.m < 0n) throw new RangeError("Big.sqrt: expected a number of at least 0");
    if (this.m === 0n) return this;
    let shift = Math.max(0, 2 * precision - bitLength(this.m));
    if ((this.e - shift) % 2 !== 0) shift++;
    return Big.scaled(rootOf(this.m << BigInt(shift)), (this.e - shift) / 2);
  }

  /** `x 2^k`. */
  shift(k: number): Big {
    return new Big(this.m, this.e + k);
  }

  isLess(other: Big | number): boolean {
    return this.sub(other).m < 0n;
  }

  /** The nearest whole number. */
  round(): bigint {
    if (this.e >= 0) return this.m << BigInt(this.e);
    if (this.exponent < -1) return 0n;
    return (this.m + (1n << BigInt(-this.e - 1))) >> BigInt(-this.e);
  }

  /** Nearly the nearest float64: 0 and infinity beyond its range. */
  toNumber(): number {
    const over = Math.max(0, bitLength(this.m) - 60);
    const e = this.e + over;
    const halves = Math.trunc(e / 2);
    return Number(this.m >> BigInt(over)) * 2 ** halves * 2 ** (e - halves);
  }

  /** Calculates with another number of bits. */
  static within<T>(bits: number, calculate: () => T): T {
    const before = precision;
    precision = bits;
    try {
      return calculate();
    } finally {
      precision = before;
    }
  }

  static get precision(): number {
    return precision;
  }
}

let precision = 256;
const zero: Big = Reflect.construct(Big, [0n, 0]) as Big;

function asBig(x: Big | number): Big {
  return typeof x === "number" ? Big.of(x) : x;
}

function bitLength(m: bigint): number {
  const digits = (m < 0n ? -m : m).toString(16);
  return 4 * (digits.length - 1) + (32 - Math.clz32(Number.parseInt(digits[0]!, 16)));
}

/** The whole part of a square root, by Newton's iteration from above. */
function rootOf(m: bigint): bigint {
  let x = 1n << BigInt((bitLength(m) + 1) >> 1);
  for (;;) {
    const next = (x + m / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}
