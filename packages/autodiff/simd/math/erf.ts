import {
  growth_f64x2, lowerPower_f64x2, quotient_f64x2, remainder_f64x2, upperPower_f64x2,
} from "./exp";
import { upperPart, withSign } from "./float";
import { half_f64, one_f64 } from "./numbers";
import { constant, polynomial } from "./table";
import { madd } from "../vector";

const rootTwo = memory.data<f64>([1.4142135623730951]);
/** Where the variable of the series below vanishes. */
const center = memory.data<f64>([5]);
/** Where erf is 1 to the last bit. */
const saturated = memory.data<f64>([6]);
/** Where t (1 - Phi(t)) vanishes. */
const vanishing = memory.data<f64>([40]);
/** erf(x)/x - 1 in x^2 on |x| <= 1, within 2^-56. */
const erfSeries = memory.data<f64>([
  0.12837916709551256, -0.3761263890318347, 0.11283791670943219, -0.026866170643026575,
  0.005223977605729029, -0.000854832591965114, 0.0001205529346521502, -1.4924712509522804e-5,
  1.6447154868122808e-6, -1.6206608356867929e-7, 1.3712628814674872e-8, -7.783072047256754e-10,
]);
/** (t + 5) M(t) in (t - 5)/(t + 5) on 0 <= t <= 40, within 2^-55 of itself. */
const tailSeries = memory.data<f64>([
  0.769193049750063, -0.6653825028900567, 0.4953056159699754, -0.3135331566712991,
  0.1650203661703955, -0.06911863870649729, 0.020795066800025436, -0.002993376767652111,
  -0.0007978694018230905, 0.0005448990406443272, -5.937570272834562e-5, -4.97626895143009e-5,
  1.6681118345196058e-5, 3.980489774624363e-6, -2.769080267792743e-6, -3.357394502221643e-7,
  4.329982645791187e-7, 4.11184351057069e-8, -6.604299664268579e-8, -8.4501841769662e-9,
  7.916991361661968e-9, 1.474898186182998e-9, -2.87146304478236e-10,
]);

/**
 * M(t) = exp(t^2/2) (1 - Phi(t)) for t >= 0; the variable is that of Shepherd & Laframboise 1981.
 */
// @ts-ignore: decorator
@inline
function tailRatio(t: v128): v128 {
  const five = constant<f64>(center);
  const inverse = f64x2.div(constant<f64>(one_f64), f64x2.add(t, five));
  const s = f64x2.mul(f64x2.sub(t, five), inverse);
  return f64x2.mul(polynomial<f64>(s, tailSeries, 22), inverse);
}

/** 1 - 2 exp(-x^2) M(sqrt(2) x) beyond 1, a polynomial below. */
export function erf_f64x2(x: v128): v128 {
  const one = constant<f64>(one_f64);
  const t = f64x2.pmin(f64x2.abs(x), constant<f64>(saturated));
  const z = f64x2.mul(t, t);
  const near = madd<f64>(t, polynomial<f64>(z, erfSeries, 11), t);
  const exponent = f64x2.neg(z);
  const quotient = quotient_f64x2(exponent);
  const growth = growth_f64x2(remainder_f64x2(exponent, quotient));
  const double = f64x2.add(quotient, one);
  const power = f64x2.mul(
    f64x2.mul(f64x2.add(growth, one), lowerPower_f64x2(double)),
    upperPower_f64x2(double),
  );
  const ratio = tailRatio(f64x2.mul(t, constant<f64>(rootTwo)));
  const far = f64x2.sub(one, f64x2.mul(power, ratio));
  return withSign<f64>(v128.bitselect(near, far, f64x2.lt(t, one)), x);
}

/**
 * x Phi(x) = max(x, 0) - t (1 - Phi(t)) with t = |x|. In 1 - Phi(t) = exp(-t^2/2) M(t) the square
 * is that of the upper part u of t, which is exact, and (u^2 - t^2)/2 joins the remainder of the
 * exponential.
 */
export function gelu_f64x2(x: v128): v128 {
  const half = constant<f64>(half_f64);
  const t = f64x2.pmin(f64x2.abs(x), constant<f64>(vanishing));
  const u = upperPart(t);
  const exponent = f64x2.neg(f64x2.mul(f64x2.mul(u, u), half));
  const rest = f64x2.mul(f64x2.mul(f64x2.sub(u, t), f64x2.add(u, t)), half);
  const quotient = quotient_f64x2(exponent);
  const growth = growth_f64x2(f64x2.add(remainder_f64x2(exponent, quotient), rest));
  const power = f64x2.add(growth, constant<f64>(one_f64));
  const product = f64x2.mul(
    f64x2.mul(f64x2.mul(f64x2.mul(t, tailRatio(t)), power), lowerPower_f64x2(quotient)),
    upperPower_f64x2(quotient),
  );
  const zero = f64x2.splat(0);
  const positivePart = f64x2.pmax(x, zero);
  return withSign<f64>(f64x2.abs(f64x2.sub(positivePart, product)), x);
}
