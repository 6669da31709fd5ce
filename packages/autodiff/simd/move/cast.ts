export function cast_float32ToFloat64(n: i32, x: usize, y: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, f64x2.promote_low_f32x4(v128.load_zero<u64>(x)));
    v128.store(y, f64x2.promote_low_f32x4(v128.load_zero<u64>(x, 8)), 16);
    x += 16;
    y += 32;
  }
  for (; n > 0; n--) {
    store<f64>(y, <f64>load<f32>(x));
    x += 4;
    y += 8;
  }
}

export function cast_float64ToFloat32(n: i32, x: usize, y: usize): void {
  for (; n >= 4; n -= 4) {
    const low = f32x4.demote_f64x2_zero(v128.load(x));
    const high = f32x4.demote_f64x2_zero(v128.load(x, 16));
    v128.store(y, v128.shuffle<f64>(low, high, 0, 2));
    x += 32;
    y += 16;
  }
  for (; n > 0; n--) {
    store<f32>(y, <f32>load<f64>(x));
    x += 8;
    y += 4;
  }
}

export function cast_float32ToInt32(n: i32, x: usize, y: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, i32x4.trunc_sat_f32x4_s(v128.load(x)));
    x += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    store<i32>(y, i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(v128.load_zero<f32>(x)), 0));
    x += 4;
    y += 4;
  }
}

export function cast_float64ToInt32(n: i32, x: usize, y: usize): void {
  for (; n >= 2; n -= 2) {
    v128.store_lane<u64>(y, i32x4.trunc_sat_f64x2_s_zero(v128.load(x)), 0);
    x += 16;
    y += 8;
  }
  if (n > 0) {
    store<i32>(y, i32x4.extract_lane(i32x4.trunc_sat_f64x2_s_zero(v128.load_zero<f64>(x)), 0));
  }
}

export function cast_int32ToFloat32(n: i32, x: usize, y: usize): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, f32x4.convert_i32x4_s(v128.load(x)));
    x += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    store<f32>(y, <f32>load<i32>(x));
    x += 4;
    y += 4;
  }
}

export function cast_int32ToFloat64(n: i32, x: usize, y: usize): void {
  for (; n >= 2; n -= 2) {
    v128.store(y, f64x2.convert_low_i32x4_s(v128.load_zero<u64>(x)));
    x += 8;
    y += 16;
  }
  if (n > 0) store<f64>(y, <f64>load<i32>(x));
}
