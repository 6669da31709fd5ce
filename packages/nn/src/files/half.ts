/** float32 from bfloat16, its upper half. Exact. */
export function fromBfloat16(bits: Uint16Array): Float32Array {
  const widened = Uint32Array.from(bits, (half) => half << 16);
  return new Float32Array(widened.buffer);
}

/** float32 from IEEE 754 half precision: a sign, 5 bits of exponent, 10 of fraction. Exact. */
export function fromFloat16(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (half) => {
    const sign = half >> 15 === 1 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}
