import type { Vectors } from "./vectors.ts";

/** Addresses: parameter, gradient, update, moments by name, two vectors of scratch. */
export type Addresses = Readonly<Record<string, number>> &
  Readonly<Record<"w" | "g" | "update" | "s" | "u", number>>;

/** One update, one vector operation after the other. */
export type Chain = (vectors: Vectors, at: Addresses, rate: number, t: number) => void;

/** `size = sqrt(keep size^2 + rest x^2)`; `s` is scratch. */
function track(vectors: Vectors, size: number, keep: number, x: number, rest: number, s: number) {
  vectors.square(size, size);
  vectors.scale(size, keep, size);
  vectors.square(x, s);
  vectors.scale(s, rest, s);
  vectors.add(size, s, size);
  vectors.sqrt(size, size);
}

/** `g`, or where there is decay its sum with `decay w`, in `u`. */
function decayed(vectors: Vectors, { w, g, u }: Addresses, decay: number): number {
  if (decay === 0) return g;
  vectors.addScaled(w, decay, g, u);
  return u;
}

/** What each optimizer means: its published formula in vector operations. Every option is given. */
export const chains = {
  sgd({
    weightDecay,
    momentum,
    dampening,
    nesterov,
  }: {
    weightDecay: number;
    momentum: number;
    dampening: number;
    nesterov: boolean;
  }): Chain {
    return (vectors, at, rate, t) => {
      const { update, momentum: b, s } = at;
      let direction = decayed(vectors, at, weightDecay);
      if (momentum !== 0) {
        vectors.scale(b!, momentum, b!);
        vectors.scale(direction, t === 1 ? 1 : 1 - dampening, s);
        vectors.add(b!, s, b!);
        if (nesterov) vectors.addScaled(b!, momentum, direction, s);
        direction = nesterov ? s : b!;
      }
      vectors.scale(direction, -rate, update);
    };
  },
  adam(options: AdamOptions): Chain {
    return (vectors, at, rate, t) => {
      const gradient = decayed(vectors, at, options.weightDecay);
      adaptive(options, vectors, at, gradient, rate, t);
    };
  },
  adamW(options: AdamOptions): Chain {
    return (vectors, at, rate, t) => {
      adaptive(options, vectors, at, at.g, rate, t);
      if (options.weightDecay === 0) return;
      vectors.scale(at.w, -rate * options.weightDecay, at.u);
      vectors.add(at.u, at.update, at.update);
    };
  },
  rmsprop({
    weightDecay,
    smoothing,
    epsilon,
    momentum,
    centered,
  }: {
    weightDecay: number;
    smoothing: number;
    epsilon: number;
    momentum: number;
    centered: boolean;
  }): Chain {
    return (vectors, at, rate) => {
      const { update, rms, mean, momentum: b, s, half } = at;
      const gradient = decayed(vectors, at, weightDecay);
      if (centered) {
        vectors.scale(gradient, 0.5, half!);
        vectors.scale(mean!, 0.5, s);
        vectors.sub(half!, s, half!);
        track(vectors, rms!, smoothing, half!, 4 * smoothing * (1 - smoothing), s);
        vectors.track(mean!, smoothing, gradient, s);
      } else track(vectors, rms!, smoothing, gradient, 1 - smoothing, s);
      vectors.offset(rms!, epsilon, s);
      vectors.div(gradient, s, s);
      if (momentum === 0) return vectors.scale(s, -rate, update);
      vectors.scale(b!, momentum, b!);
      vectors.add(b!, s, b!);
      vectors.scale(b!, -rate, update);
    };
  },
  adagrad({
    weightDecay,
    learningRateDecay,
    epsilon,
  }: {
    weightDecay: number;
    learningRateDecay: number;
    epsilon: number;
  }): Chain {
    return (vectors, at, rate, t) => {
      const { update, size, s } = at;
      const gradient = decayed(vectors, at, weightDecay);
      track(vectors, size!, 1, gradient, 1, s);
      vectors.offset(size!, epsilon, s);
      vectors.div(gradient, s, s);
      vectors.scale(s, -rate / (1 + (t - 1) * learningRateDecay), update);
    };
  },
};

interface AdamOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  amsgrad: boolean;
}

/** `update = -rate mhat / (rmshat + epsilon)`. */
function adaptive(
  { beta1, beta2, epsilon, amsgrad }: AdamOptions,
  vectors: Vectors,
  { m, rms, largest, update, s }: Addresses,
  gradient: number,
  rate: number,
  t: number,
): void {
  vectors.track(m!, beta1, gradient, s);
  track(vectors, rms!, beta2, gradient, 1 - beta2, s);
  if (amsgrad) vectors.maximum(largest!, rms!, largest!);
  vectors.scale(amsgrad ? largest! : rms!, 1 / Math.sqrt(1 - vectors.power(beta2, t)), s);
  vectors.offset(s, epsilon, s);
  vectors.div(m!, s, s);
  vectors.scale(s, -rate / (1 - vectors.power(beta1, t)), update);
}
