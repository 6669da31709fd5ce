import { Float64 } from "./float";
import { atan2_f64x2 } from "./inverse";
import { mod } from "./mod";
import { hypotOfFloat32, hypot_f64x2, powOfFloat32, pow_f64x2 } from "./power";
import { narrow, widenHigh, widenLow } from "../vector";

/** A float64 function F on float32 values, rounded once at the end. */
@unmanaged @final export class WidenedPair<F> {
  @inline of<T>(a: v128, b: v128): v128 {
    const f = changetype<F>(0);
    return narrow<f32>(
      f.of<f64>(widenLow<f32>(a), widenLow<f32>(b)),
      f.of<f64>(widenHigh<f32>(a), widenHigh<f32>(b)),
    );
  }
}

@unmanaged @final export class Add {
  @inline of<T>(a: v128, b: v128): v128 { return v128.add<T>(a, b); }
}

@unmanaged @final export class Sub {
  @inline of<T>(a: v128, b: v128): v128 { return v128.sub<T>(a, b); }
}

@unmanaged @final export class Mul {
  @inline of<T>(a: v128, b: v128): v128 { return v128.mul<T>(a, b); }
}

@unmanaged @final export class Div {
  @inline of<T>(a: v128, b: v128): v128 { return v128.div<T>(a, b); }
}

@unmanaged @final export class Pow extends Float64 {
  @inline of<T>(a: v128, b: v128): v128 { return pow_f64x2(a, b); }
}

@unmanaged @final export class PowOfFloat32 extends Float64 {
  @inline of<T>(a: v128, b: v128): v128 { return powOfFloat32(a, b); }
}

@unmanaged @final export class Maximum {
  @inline of<T>(a: v128, b: v128): v128 { return v128.max<T>(a, b); }
}

@unmanaged @final export class Minimum {
  @inline of<T>(a: v128, b: v128): v128 { return v128.min<T>(a, b); }
}

/** The angle of the point (b, a). */
@unmanaged @final export class Atan2 extends Float64 {
  @inline of<T>(a: v128, b: v128): v128 { return atan2_f64x2(a, b); }
}

@unmanaged @final export class Hypot extends Float64 {
  @inline of<T>(a: v128, b: v128): v128 { return hypot_f64x2(a, b); }
}

@unmanaged @final export class HypotOfFloat32 extends Float64 {
  @inline of<T>(a: v128, b: v128): v128 { return hypotOfFloat32(a, b); }
}

@unmanaged @final export class Mod extends Float64 {
  @inline of<T>(a: v128, b: v128): v128 {
    const first = mod(f64x2.extract_lane(a, 0), f64x2.extract_lane(b, 0));
    const second = mod(f64x2.extract_lane(a, 1), f64x2.extract_lane(b, 1));
    return f64x2.replace_lane(f64x2.splat(first), 1, second);
  }
}

/** 1 where the mask is set, else 0. */
// @ts-ignore: decorator
@inline
function truth<T>(mask: v128): v128 {
  return v128.and(mask, v128.splat<T>(<T>1));
}

@unmanaged @final export class Less {
  @inline of<T>(a: v128, b: v128): v128 { return truth<T>(v128.lt<T>(a, b)); }
}

@unmanaged @final export class LessEqual {
  @inline of<T>(a: v128, b: v128): v128 { return truth<T>(v128.le<T>(a, b)); }
}

@unmanaged @final export class Greater {
  @inline of<T>(a: v128, b: v128): v128 { return truth<T>(v128.gt<T>(a, b)); }
}

@unmanaged @final export class GreaterEqual {
  @inline of<T>(a: v128, b: v128): v128 { return truth<T>(v128.ge<T>(a, b)); }
}

@unmanaged @final export class Equal {
  @inline of<T>(a: v128, b: v128): v128 { return truth<T>(v128.eq<T>(a, b)); }
}

@unmanaged @final export class NotEqual {
  @inline of<T>(a: v128, b: v128): v128 { return truth<T>(v128.ne<T>(a, b)); }
}
