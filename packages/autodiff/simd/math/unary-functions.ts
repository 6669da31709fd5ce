// The element-wise functions as types: `of<T>` maps a vector of T. A loop that takes one as a type
// argument is compiled for it alone, with the mathematics inlined.
import { exp_f32x4, exp_f64x2, expm1_f64x2 } from "./exp";
import { erf_f64x2, gelu_f64x2 } from "./erf";
import {
  acosh_f64x2, asinh_f64x2, atanh_f64x2, cosh_f64x2, sinh_f64x2, tanh_f32x4, tanh_f64x2,
} from "./hyperbolic";
import { acos_f64x2, asin_f64x2, atan_f64x2 } from "./inverse";
import { Float64, withSign } from "./float";
import { log1p_f64x2, logBase_f64x2, log_f32x4, log_f64x2 } from "./log";
import {
  sigmoid_f32x4, sigmoid_f64x2, silu_f32x4, silu_f64x2, softplus_f32x4, softplus_f64x2,
} from "./logistic";
import { cos_f64x2, sin_f64x2, tan_f64x2 } from "./trigonometric";
import { narrow, widenHigh, widenLow } from "../vector";

/** A float64 function F on float32 values, rounded once at the end. */
@unmanaged @final export class Widened<F> {
  @inline of<T>(x: v128): v128 {
    const f = changetype<F>(0);
    return narrow<f32>(f.of<f64>(widenLow<f32>(x)), f.of<f64>(widenHigh<f32>(x)));
  }
}

@unmanaged @final export class Neg {
  @inline of<T>(x: v128): v128 { return v128.neg<T>(x); }
}

@unmanaged @final export class Abs {
  @inline of<T>(x: v128): v128 { return v128.abs<T>(x); }
}

/** x itself where it is zero or NaN. */
@unmanaged @final export class Sign {
  @inline of<T>(x: v128): v128 {
    const zero = v128.splat<T>(<T>0);
    const signed = v128.or(v128.lt<T>(x, zero), v128.gt<T>(x, zero));
    return v128.bitselect(withSign<T>(v128.splat<T>(<T>1), x), x, signed);
  }
}

@unmanaged @final export class Exp {
  @inline of<T>(x: v128): v128 { return sizeof<T>() == 4 ? exp_f32x4(x) : exp_f64x2(x); }
}

@unmanaged @final export class Expm1 extends Float64 {
  @inline of<T>(x: v128): v128 { return expm1_f64x2(x); }
}

@unmanaged @final export class Log {
  @inline of<T>(x: v128): v128 { return sizeof<T>() == 4 ? log_f32x4(x) : log_f64x2(x); }
}

@unmanaged @final export class Log2 extends Float64 {
  @inline of<T>(x: v128): v128 {
    return logBase_f64x2(x, f64x2.splat(1), f64x2.splat(0), f64x2.splat(1.4426950408889634));
  }
}

/** log10(2) as in fdlibm's e_log10.c: its upper part times any exponent is exact. */
@unmanaged @final export class Log10 extends Float64 {
  @inline of<T>(x: v128): v128 {
    return logBase_f64x2(
      x, f64x2.splat(0.30102999566361177), f64x2.splat(3.694239077158931e-13),
      f64x2.splat(0.4342944819032518),
    );
  }
}

@unmanaged @final export class Log1p extends Float64 {
  @inline of<T>(x: v128): v128 { return log1p_f64x2(x); }
}

@unmanaged @final export class Sqrt {
  @inline of<T>(x: v128): v128 { return v128.sqrt<T>(x); }
}

@unmanaged @final export class Rsqrt {
  @inline of<T>(x: v128): v128 { return v128.div<T>(v128.splat<T>(<T>1), v128.sqrt<T>(x)); }
}

@unmanaged @final export class Square {
  @inline of<T>(x: v128): v128 { return v128.mul<T>(x, x); }
}

@unmanaged @final export class Reciprocal {
  @inline of<T>(x: v128): v128 { return v128.div<T>(v128.splat<T>(<T>1), x); }
}

@unmanaged @final export class Sin extends Float64 {
  @inline of<T>(x: v128): v128 { return sin_f64x2(x); }
}

@unmanaged @final export class Cos extends Float64 {
  @inline of<T>(x: v128): v128 { return cos_f64x2(x); }
}

@unmanaged @final export class Tan extends Float64 {
  @inline of<T>(x: v128): v128 { return tan_f64x2(x); }
}

@unmanaged @final export class Asin extends Float64 {
  @inline of<T>(x: v128): v128 { return asin_f64x2(x); }
}

@unmanaged @final export class Acos extends Float64 {
  @inline of<T>(x: v128): v128 { return acos_f64x2(x); }
}

@unmanaged @final export class Atan extends Float64 {
  @inline of<T>(x: v128): v128 { return atan_f64x2(x); }
}

@unmanaged @final export class Sinh extends Float64 {
  @inline of<T>(x: v128): v128 { return sinh_f64x2(x); }
}

@unmanaged @final export class Cosh extends Float64 {
  @inline of<T>(x: v128): v128 { return cosh_f64x2(x); }
}

@unmanaged @final export class Asinh extends Float64 {
  @inline of<T>(x: v128): v128 { return asinh_f64x2(x); }
}

@unmanaged @final export class Acosh extends Float64 {
  @inline of<T>(x: v128): v128 { return acosh_f64x2(x); }
}

@unmanaged @final export class Atanh extends Float64 {
  @inline of<T>(x: v128): v128 { return atanh_f64x2(x); }
}

@unmanaged @final export class Tanh {
  @inline of<T>(x: v128): v128 { return sizeof<T>() == 4 ? tanh_f32x4(x) : tanh_f64x2(x); }
}

@unmanaged @final export class Sigmoid {
  @inline of<T>(x: v128): v128 { return sizeof<T>() == 4 ? sigmoid_f32x4(x) : sigmoid_f64x2(x); }
}

@unmanaged @final export class Softplus {
  @inline of<T>(x: v128): v128 {
    return sizeof<T>() == 4 ? softplus_f32x4(x) : softplus_f64x2(x);
  }
}

/** -softplus(-x). */
@unmanaged @final export class LogSigmoid {
  @inline of<T>(x: v128): v128 {
    return v128.neg<T>(changetype<Softplus>(0).of<T>(v128.neg<T>(x)));
  }
}

@unmanaged @final export class Relu {
  @inline of<T>(x: v128): v128 { return v128.max<T>(x, v128.splat<T>(<T>0)); }
}

@unmanaged @final export class Gelu extends Float64 {
  @inline of<T>(x: v128): v128 { return gelu_f64x2(x); }
}

@unmanaged @final export class Silu {
  @inline of<T>(x: v128): v128 { return sizeof<T>() == 4 ? silu_f32x4(x) : silu_f64x2(x); }
}

@unmanaged @final export class Erf extends Float64 {
  @inline of<T>(x: v128): v128 { return erf_f64x2(x); }
}

@unmanaged @final export class Floor {
  @inline of<T>(x: v128): v128 { return v128.floor<T>(x); }
}

@unmanaged @final export class Ceil {
  @inline of<T>(x: v128): v128 { return v128.ceil<T>(x); }
}

@unmanaged @final export class Round {
  @inline of<T>(x: v128): v128 { return v128.nearest<T>(x); }
}
