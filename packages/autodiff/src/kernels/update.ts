import type { Memory } from "./memory.ts";
import type { KernelsOf } from "./signature.ts";

/**
 * The update of a parameter `w` of `n` elements against its gradient, element by element: what to
 * add to it is written, moments are changed in place. `update` overlaps nothing but `g`. Numbers
 * are rounded to the dtype where they are combined with the elements, and so is every operation in
 * the kernels in WebAssembly, in the order of the formulas. With `decay`, unless that is 0,
 * `decay w + g` stands for `g`.
 *
 * `t` is the address of an int32, the number of this update, counted from 1. The rate is `factor`,
 * times the float64 at the address `rate` unless that is 0: so a program can be replayed with other
 * numbers. Sizes of gradients are held as roots of (mean) squares, and taken so that no square
 * overflows or vanishes; an `epsilon` of 0 counts as the smallest number above it.
 */
export const updateSignatures = {
  /**
   * `update = -rate d`, where `d` is `g`; unless `beta` is 0,
   * `momentum = beta momentum + (1 - dampening) g`, without dampening where `t` is 1, and `d` is
   * that, or `beta momentum + g` when `nesterov` is 1.
   */
  sgd: "n w:in g:in momentum:inout t:in rate:in factor:f64 decay:f64 beta:f64 dampening:f64 nesterov update:out",
  /**
   * `m = beta1 m + (1 - beta1) g`, `rms^2 = beta2 rms^2 + (1 - beta2) g^2`, and when `amsgrad` is 1
   * ` largest = max(largest, rms)` stands for `rms`; `update = -rate mhat / (rmshat + epsilon) -
   * rate drift w`, with `mhat = m / (1 - beta1^t)` and `rmshat = rms / sqrt(1 - beta2^t) ` .
   */
  adam: "n w:in g:in m:inout rms:inout largest:inout t:in rate:in factor:f64 decay:f64 drift:f64 beta1:f64 beta2:f64 amsgrad epsilon:f64 update:out",
  /**
   * `rms^2 = smoothing rms^2 + (1 - smoothing) g^2`, `d = g / (rms + epsilon)`, `update = -rate d`;
   * when `centered` is 1, `rms` is the deviation from the mean,
   * `rms^2 = smoothing (rms^2 + (1 - smoothing) (g - mean)^2)`, and then
   * `mean = smoothing mean + (1 - smoothing) g`; unless `beta` is 0, `momentum = beta momentum + d`
   * stands for `d`.
   */
  rmsprop:
    "n w:in g:in rms:inout mean:inout momentum:inout rate:in factor:f64 decay:f64 smoothing:f64 centered epsilon:f64 beta:f64 update:out",
  /** `size^2 = size^2 + g^2`, `update = -rate / (1 + (t - 1) rateDecay) g / (size + epsilon)`. */
  adagrad:
    "n w:in g:in size:inout t:in rate:in factor:f64 decay:f64 rateDecay:f64 epsilon:f64 update:out",
} as const;
export type UpdateKernels = KernelsOf<typeof updateSignatures>;

/**
 * Updates of parameters in float64 arithmetic, rounded once when stored; numbers are rounded to the
 * dtype first.
 */
export function referenceUpdates(memory: Memory, dtype: "float32" | "float64"): UpdateKernels {
  const size = dtype === "float32" ? 4 : 8;
  const round = dtype === "float32" ? Math.fround : (value: number) => value;
  const most = dtype === "float32" ? 2 ** 128 - 2 ** 104 : Number.MAX_VALUE;
  const least = dtype === "float32" ? 2 ** -149 : Number.MIN_VALUE;
  const read = (pointer: number, i: number): number => memory.views[dtype][pointer / size + i]!;
  const write = (pointer: number, i: number, value: number): number => {
    memory.views[dtype][pointer / size + i] = value;
    return memory.views[dtype][pointer / size + i]!;
  };
  /** Writes `sqrt(keep a^2 + rest b^2)` for the `a` that is there. */
  const writeRoot = (pointer: number, i: number, keep: number, b: number, rest: number): number => {
    const a = read(pointer, i);
    const root = Math.hypot(Math.sqrt(round(keep)) * a, Math.sqrt(round(rest)) * b);
    return write(pointer, i, Math.min(root, most));
  };
  const each = (n: number, f: (i: number) => void): void => {
    for (let i = 0; i < n; i++) f(i);
  };
  const gradient = (i: number, w: number, g: number, decay: number): number =>
    decay === 0 ? read(g, i) : round(decay) * read(w, i) + read(g, i);
  const rateOf = (rate: number, factor: number): number =>
    rate === 0 ? factor : factor * memory.views.float64[rate / 8]!;
  const int32At = (pointer: number): number => memory.views.int32[pointer / 4]!;
  const positive = (epsilon: number): number => Math.max(round(epsilon), least);

  return {
    sgd(n, w, g, momentum, t, rate, factor, decay, beta, dampening, nesterov, update) {
      const rest = round(int32At(t) === 1 ? 1 : 1 - dampening);
      const step = round(-rateOf(rate, factor));
      each(n, (i) => {
        let d = gradient(i, w, g, decay);
        if (beta !== 0) {
          const moved = write(momentum, i, round(beta) * read(momentum, i) + rest * d);
          d = nesterov === 1 ? round(beta) * moved + d : moved;
        }
        write(update, i, step * d);
      });
    },
    adam(n, w, g, m, rms, largest, t, rate, factor, decay, drift, beta1, beta2, ...numbers) {
      const [amsgrad, epsilon, update] = numbers;
      const speed = rateOf(rate, factor);
      const correction = round(1 / Math.sqrt(1 - beta2 ** int32At(t)));
      const step = round(-speed / (1 - beta1 ** int32At(t)));
      each(n, (i) => {
        const d = gradient(i, w, g, decay);
        const first = write(m, i, round(beta1) * read(m, i) + round(1 - beta1) * d);
        let second = writeRoot(rms, i, beta2, d, 1 - beta2);
        if (amsgrad === 1) second = write(largest, i, Math.max(read(largest, i), second));
        const moved = (step * first) / (Math.min(second * correction, most) + positive(epsilon));
        write(update, i, drift === 0 ? moved : round(-speed * drift) * read(w, i) + moved);
      });
    },
    rmsprop(n, w, g, rms, mean, momentum, rate, factor, decay, smoothing, ...numbers) {
      const [centered, epsilon, beta, update] = numbers;
      const [keep, rest] = [round(smoothing), round(1 - smoothing)];
      const step = round(-rateOf(rate, factor));
      each(n, (i) => {
        const d = gradient(i, w, g, decay);
        let deviation = 0;
        if (centered === 1) {
          const average = read(mean, i);
          const error = 0.5 * d - 0.5 * average;
          deviation = writeRoot(rms, i, smoothing, error, 4 * smoothing * (1 - smoothing));
          write(mean, i, keep * average + rest * d);
        } else deviation = writeRoot(rms, i, smoothing, d, 1 - smoothing);
        let direction = d / (deviation + positive(epsilon));
        if (beta !== 0) direction = write(momentum, i, round(beta) * read(momentum, i) + direction);
        write(update, i, step * direction);
      });
    },
    adagrad(n, w, g, sizes, t, rate, factor, decay, rateDecay, epsilon, update) {
      const step = round(-rateOf(rate, factor) / (1 + (int32At(t) - 1) * rateDecay));
      each(n, (i) => {
        const d = gradient(i, w, g, decay);
        write(update, i, (step * d) / (writeRoot(sizes, i, 1, d, 1) + positive(epsilon)));
      });
    },
  };
}
