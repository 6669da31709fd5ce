// Element-wise functions on one vector, for generated loops to call: those that are more than a few
// instructions.
import { Elu, LeakyRelu } from "./math/scaled";
import {
  Erf, Exp, Expm1, Gelu, Log, Log1p, LogSigmoid, Sigmoid, Sign, Silu, Softplus, Tanh, Widened,
} from "./math/unary-functions";

export { smallSigmoid_f32x4 as f32_lanes_smallSigmoid } from "./math/logistic";

// @ts-ignore: decorator
@inline
function plain<T, F>(x: v128): v128 {
  return changetype<F>(0).of<T>(x);
}

// @ts-ignore: decorator
@inline
function scaled<T, F>(x: v128, alpha: v128): v128 {
  return changetype<F>(0).of<T>(x, alpha);
}

export function f32_lanes_sign(x: v128): v128 { return plain<f32, Sign>(x); }
export function f32_lanes_exp(x: v128): v128 { return plain<f32, Exp>(x); }
export function f32_lanes_expm1(x: v128): v128 { return plain<f32, Widened<Expm1>>(x); }
export function f32_lanes_log(x: v128): v128 { return plain<f32, Log>(x); }
export function f32_lanes_log1p(x: v128): v128 { return plain<f32, Widened<Log1p>>(x); }
export function f32_lanes_tanh(x: v128): v128 { return plain<f32, Tanh>(x); }
export function f32_lanes_sigmoid(x: v128): v128 { return plain<f32, Sigmoid>(x); }
export function f32_lanes_softplus(x: v128): v128 { return plain<f32, Softplus>(x); }
export function f32_lanes_logSigmoid(x: v128): v128 { return plain<f32, LogSigmoid>(x); }
export function f32_lanes_gelu(x: v128): v128 { return plain<f32, Widened<Gelu>>(x); }
export function f32_lanes_silu(x: v128): v128 { return plain<f32, Silu>(x); }
export function f32_lanes_erf(x: v128): v128 { return plain<f32, Widened<Erf>>(x); }
export function f32_lanes_leakyRelu(x: v128, alpha: v128): v128 {
  return scaled<f32, LeakyRelu>(x, alpha);
}
export function f32_lanes_elu(x: v128, alpha: v128): v128 { return scaled<f32, Elu>(x, alpha); }

export function f64_lanes_sign(x: v128): v128 { return plain<f64, Sign>(x); }
export function f64_lanes_exp(x: v128): v128 { return plain<f64, Exp>(x); }
export function f64_lanes_expm1(x: v128): v128 { return plain<f64, Expm1>(x); }
export function f64_lanes_log(x: v128): v128 { return plain<f64, Log>(x); }
export function f64_lanes_log1p(x: v128): v128 { return plain<f64, Log1p>(x); }
export function f64_lanes_tanh(x: v128): v128 { return plain<f64, Tanh>(x); }
export function f64_lanes_sigmoid(x: v128): v128 { return plain<f64, Sigmoid>(x); }
export function f64_lanes_softplus(x: v128): v128 { return plain<f64, Softplus>(x); }
export function f64_lanes_logSigmoid(x: v128): v128 { return plain<f64, LogSigmoid>(x); }
export function f64_lanes_gelu(x: v128): v128 { return plain<f64, Gelu>(x); }
export function f64_lanes_silu(x: v128): v128 { return plain<f64, Silu>(x); }
export function f64_lanes_erf(x: v128): v128 { return plain<f64, Erf>(x); }
export function f64_lanes_leakyRelu(x: v128, alpha: v128): v128 {
  return scaled<f64, LeakyRelu>(x, alpha);
}
export function f64_lanes_elu(x: v128, alpha: v128): v128 { return scaled<f64, Elu>(x, alpha); }
