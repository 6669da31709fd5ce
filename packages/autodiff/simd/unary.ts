import {
  Abs, Acos, Acosh, Asin, Asinh, Atan, Atanh, Ceil, Cos, Cosh, Erf, Exp, Expm1, Floor, Gelu, Log,
  Log10, Log1p, Log2, LogSigmoid, Neg, Reciprocal, Relu, Round, Rsqrt, Sigmoid, Sign, Silu, Sin, Sinh, Softplus,
  Sqrt, Square, Tan, Tanh, Widened,
} from "./math/unary-functions";
import { Elu, LeakyRelu, Offset, Scale } from "./math/scaled";
import { lanes, loadPart, storePart } from "./vector";

/**
 * y = F(x). The last, incomplete vector is filled up with zeros: no value depends on its element's
 * place.
 */
// @ts-ignore: decorator
@inline
function map<T, F>(n: i32, x: usize, y: usize): void {
  const f = changetype<F>(0);
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, f.of<T>(v128.load(x)));
    x += 16;
    y += 16;
  }
  if (n > 0) storePart<T>(y, f.of<T>(loadPart<T>(x, n, <T>0)), n);
}

/** y = F(x, alpha). */
// @ts-ignore: decorator
@inline
function mapScaled<T, F>(n: i32, x: usize, y: usize, alpha: T): void {
  const f = changetype<F>(0);
  const splat = v128.splat<T>(alpha);
  for (; n >= lanes<T>(); n -= lanes<T>()) {
    v128.store(y, f.of<T>(v128.load(x), splat));
    x += 16;
    y += 16;
  }
  if (n > 0) storePart<T>(y, f.of<T>(loadPart<T>(x, n, <T>0), splat), n);
}

export function f32_neg(n: i32, x: usize, y: usize): void { map<f32, Neg>(n, x, y); }
export function f32_abs(n: i32, x: usize, y: usize): void { map<f32, Abs>(n, x, y); }
export function f32_sign(n: i32, x: usize, y: usize): void { map<f32, Sign>(n, x, y); }
export function f32_exp(n: i32, x: usize, y: usize): void { map<f32, Exp>(n, x, y); }
export function f32_expm1(n: i32, x: usize, y: usize): void { map<f32, Widened<Expm1>>(n, x, y); }
export function f32_log(n: i32, x: usize, y: usize): void { map<f32, Log>(n, x, y); }
export function f32_log1p(n: i32, x: usize, y: usize): void { map<f32, Widened<Log1p>>(n, x, y); }
export function f32_log2(n: i32, x: usize, y: usize): void { map<f32, Widened<Log2>>(n, x, y); }
export function f32_log10(n: i32, x: usize, y: usize): void { map<f32, Widened<Log10>>(n, x, y); }
export function f32_sqrt(n: i32, x: usize, y: usize): void { map<f32, Sqrt>(n, x, y); }
export function f32_rsqrt(n: i32, x: usize, y: usize): void { map<f32, Rsqrt>(n, x, y); }
export function f32_square(n: i32, x: usize, y: usize): void { map<f32, Square>(n, x, y); }
export function f32_reciprocal(n: i32, x: usize, y: usize): void { map<f32, Reciprocal>(n, x, y); }
export function f32_sin(n: i32, x: usize, y: usize): void { map<f32, Widened<Sin>>(n, x, y); }
export function f32_cos(n: i32, x: usize, y: usize): void { map<f32, Widened<Cos>>(n, x, y); }
export function f32_tan(n: i32, x: usize, y: usize): void { map<f32, Widened<Tan>>(n, x, y); }
export function f32_asin(n: i32, x: usize, y: usize): void { map<f32, Widened<Asin>>(n, x, y); }
export function f32_acos(n: i32, x: usize, y: usize): void { map<f32, Widened<Acos>>(n, x, y); }
export function f32_atan(n: i32, x: usize, y: usize): void { map<f32, Widened<Atan>>(n, x, y); }
export function f32_sinh(n: i32, x: usize, y: usize): void { map<f32, Widened<Sinh>>(n, x, y); }
export function f32_cosh(n: i32, x: usize, y: usize): void { map<f32, Widened<Cosh>>(n, x, y); }
export function f32_asinh(n: i32, x: usize, y: usize): void { map<f32, Widened<Asinh>>(n, x, y); }
export function f32_acosh(n: i32, x: usize, y: usize): void { map<f32, Widened<Acosh>>(n, x, y); }
export function f32_atanh(n: i32, x: usize, y: usize): void { map<f32, Widened<Atanh>>(n, x, y); }
export function f32_tanh(n: i32, x: usize, y: usize): void { map<f32, Tanh>(n, x, y); }
export function f32_sigmoid(n: i32, x: usize, y: usize): void { map<f32, Sigmoid>(n, x, y); }
export function f32_softplus(n: i32, x: usize, y: usize): void { map<f32, Softplus>(n, x, y); }
export function f32_logSigmoid(n: i32, x: usize, y: usize): void { map<f32, LogSigmoid>(n, x, y); }
export function f32_relu(n: i32, x: usize, y: usize): void { map<f32, Relu>(n, x, y); }
export function f32_gelu(n: i32, x: usize, y: usize): void { map<f32, Widened<Gelu>>(n, x, y); }
export function f32_silu(n: i32, x: usize, y: usize): void { map<f32, Silu>(n, x, y); }
export function f32_erf(n: i32, x: usize, y: usize): void { map<f32, Widened<Erf>>(n, x, y); }
export function f32_floor(n: i32, x: usize, y: usize): void { map<f32, Floor>(n, x, y); }
export function f32_ceil(n: i32, x: usize, y: usize): void { map<f32, Ceil>(n, x, y); }
export function f32_round(n: i32, x: usize, y: usize): void { map<f32, Round>(n, x, y); }

export function f64_neg(n: i32, x: usize, y: usize): void { map<f64, Neg>(n, x, y); }
export function f64_abs(n: i32, x: usize, y: usize): void { map<f64, Abs>(n, x, y); }
export function f64_sign(n: i32, x: usize, y: usize): void { map<f64, Sign>(n, x, y); }
export function f64_exp(n: i32, x: usize, y: usize): void { map<f64, Exp>(n, x, y); }
export function f64_expm1(n: i32, x: usize, y: usize): void { map<f64, Expm1>(n, x, y); }
export function f64_log(n: i32, x: usize, y: usize): void { map<f64, Log>(n, x, y); }
export function f64_log1p(n: i32, x: usize, y: usize): void { map<f64, Log1p>(n, x, y); }
export function f64_log2(n: i32, x: usize, y: usize): void { map<f64, Log2>(n, x, y); }
export function f64_log10(n: i32, x: usize, y: usize): void { map<f64, Log10>(n, x, y); }
export function f64_sqrt(n: i32, x: usize, y: usize): void { map<f64, Sqrt>(n, x, y); }
export function f64_rsqrt(n: i32, x: usize, y: usize): void { map<f64, Rsqrt>(n, x, y); }
export function f64_square(n: i32, x: usize, y: usize): void { map<f64, Square>(n, x, y); }
export function f64_reciprocal(n: i32, x: usize, y: usize): void { map<f64, Reciprocal>(n, x, y); }
export function f64_sin(n: i32, x: usize, y: usize): void { map<f64, Sin>(n, x, y); }
export function f64_cos(n: i32, x: usize, y: usize): void { map<f64, Cos>(n, x, y); }
export function f64_tan(n: i32, x: usize, y: usize): void { map<f64, Tan>(n, x, y); }
export function f64_asin(n: i32, x: usize, y: usize): void { map<f64, Asin>(n, x, y); }
export function f64_acos(n: i32, x: usize, y: usize): void { map<f64, Acos>(n, x, y); }
export function f64_atan(n: i32, x: usize, y: usize): void { map<f64, Atan>(n, x, y); }
export function f64_sinh(n: i32, x: usize, y: usize): void { map<f64, Sinh>(n, x, y); }
export function f64_cosh(n: i32, x: usize, y: usize): void { map<f64, Cosh>(n, x, y); }
export function f64_asinh(n: i32, x: usize, y: usize): void { map<f64, Asinh>(n, x, y); }
export function f64_acosh(n: i32, x: usize, y: usize): void { map<f64, Acosh>(n, x, y); }
export function f64_atanh(n: i32, x: usize, y: usize): void { map<f64, Atanh>(n, x, y); }
export function f64_tanh(n: i32, x: usize, y: usize): void { map<f64, Tanh>(n, x, y); }
export function f64_sigmoid(n: i32, x: usize, y: usize): void { map<f64, Sigmoid>(n, x, y); }
export function f64_softplus(n: i32, x: usize, y: usize): void { map<f64, Softplus>(n, x, y); }
export function f64_logSigmoid(n: i32, x: usize, y: usize): void { map<f64, LogSigmoid>(n, x, y); }
export function f64_relu(n: i32, x: usize, y: usize): void { map<f64, Relu>(n, x, y); }
export function f64_gelu(n: i32, x: usize, y: usize): void { map<f64, Gelu>(n, x, y); }
export function f64_silu(n: i32, x: usize, y: usize): void { map<f64, Silu>(n, x, y); }
export function f64_erf(n: i32, x: usize, y: usize): void { map<f64, Erf>(n, x, y); }
export function f64_floor(n: i32, x: usize, y: usize): void { map<f64, Floor>(n, x, y); }
export function f64_ceil(n: i32, x: usize, y: usize): void { map<f64, Ceil>(n, x, y); }
export function f64_round(n: i32, x: usize, y: usize): void { map<f64, Round>(n, x, y); }

export function f32_scale(n: i32, x: usize, y: usize, alpha: f32): void {
  mapScaled<f32, Scale>(n, x, y, alpha);
}
export function f32_offset(n: i32, x: usize, y: usize, alpha: f32): void {
  mapScaled<f32, Offset>(n, x, y, alpha);
}
export function f32_leakyRelu(n: i32, x: usize, y: usize, alpha: f32): void {
  mapScaled<f32, LeakyRelu>(n, x, y, alpha);
}
export function f32_elu(n: i32, x: usize, y: usize, alpha: f32): void {
  mapScaled<f32, Elu>(n, x, y, alpha);
}
export function f64_scale(n: i32, x: usize, y: usize, alpha: f64): void {
  mapScaled<f64, Scale>(n, x, y, alpha);
}
export function f64_offset(n: i32, x: usize, y: usize, alpha: f64): void {
  mapScaled<f64, Offset>(n, x, y, alpha);
}
export function f64_leakyRelu(n: i32, x: usize, y: usize, alpha: f64): void {
  mapScaled<f64, LeakyRelu>(n, x, y, alpha);
}
export function f64_elu(n: i32, x: usize, y: usize, alpha: f64): void {
  mapScaled<f64, Elu>(n, x, y, alpha);
}
