import type { Memory } from "../memory.ts";
import type { UpdateKernels } from "../update.ts";

/** Updates of parameters in float64 arithmetic, rounded once when stored; numbers are rounded to the dtype first. */
export function updates(memory: Memory, dtype: "float32" | "float64"): UpdateKernels {
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
