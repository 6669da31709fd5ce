import { expm1_f64x2 } from "./exp";
import { narrow, widenHigh, widenLow } from "../vector";

@unmanaged @final export class Scale {
  @inline of<T>(x: v128, alpha: v128): v128 { return v128.mul<T>(x, alpha); }
}

@unmanaged @final export class Offset {
  @inline of<T>(x: v128, alpha: v128): v128 { return v128.add<T>(x, alpha); }
}

/** alpha x where x < 0. */
@unmanaged @final export class LeakyRelu {
  @inline of<T>(x: v128, alpha: v128): v128 {
    return v128.bitselect(v128.mul<T>(x, alpha), x, v128.lt<T>(x, v128.splat<T>(<T>0)));
  }
}

/** alpha (e^x - 1) where x < 0. */
@unmanaged @final export class Elu {
  @inline of<T>(x: v128, alpha: v128): v128 {
    const negative = v128.lt<T>(x, v128.splat<T>(<T>0));
    return v128.bitselect(negativePart<T>(x, alpha), x, negative);
  }
}

// @ts-ignore: decorator
@inline
function negativePart<T>(x: v128, alpha: v128): v128 {
  if (sizeof<T>() == 8) return f64x2.mul(alpha, expm1_f64x2(x));
  return narrow<f32>(
    f64x2.mul(widenLow<f32>(alpha), expm1_f64x2(widenLow<f32>(x))),
    f64x2.mul(widenHigh<f32>(alpha), expm1_f64x2(widenHigh<f32>(x))),
  );
}
