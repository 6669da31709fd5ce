import type { Vectors } from "./vectors.ts";

/** Addresses: parameter, gradient, next parameter, moments by name, two vectors of scratch. */
export type Addresses = Readonly<Record<string, number>> &
  Readonly<Record<"w" | "g" | "next" | "s" | "u", number>>;

/** One update, one vector operation after the other. */
export type Chain = (vectors: Vectors, at: Addresses, rate: number, t: number) => void;

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
      const { w, next, momentum: b, s } = at;
      let direction = decayed(vectors, at, weightDecay);
      if (momentum !== 0) {
        vectors.scale(b!, momentum, b!);
        vectors.scale(direction, t === 1 ? 1 : 1 - dampening, s);
        vectors.add(b!, s, b!);
        if (nesterov) vectors.addScaled(b!, momentum, direction, s);
        direction = nesterov ? s : b!;
      }
      vectors.addScaled(direction, -rate, w, next);
    };
  },
  adam(options: AdamOptions): Chain {
    return (vectors, at, rate, t) => {
      const gradient = decayed(vectors, at, options.weightDecay);
      adaptive(options, vectors, at, gradient, at.w, rate, t);
    };
  },
  adamW(options: AdamOptions): Chain {
    return (vectors, at, rate, t) => {
      vectors.scale(at.w, 1 - rate * options.weightDecay, at.u);
      adaptive(options, vectors, at, at.g, at.u, rate, t);
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
      const { w, next, square, mean, momentum: b, s } = at;
      const gradient = decayed(vectors, at, weightDecay);
      vectors.square(gradient, s);
      vectors.track(square!, smoothing, s, s);
      if (centered) {
        vectors.track(mean!, smoothing, gradient, s);
        vectors.square(mean!, s);
        vectors.sub(square!, s, s);
        vectors.sqrt(s, s);
      } else vectors.sqrt(square!, s);
      vectors.offset(s, epsilon, s);
      vectors.div(gradient, s, s);
      if (momentum === 0) return vectors.addScaled(s, -rate, w, next);
      vectors.scale(b!, momentum, b!);
      vectors.add(b!, s, b!);
      vectors.addScaled(b!, -rate, w, next);
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
      const { w, next, sum, s } = at;
      const gradient = decayed(vectors, at, weightDecay);
      vectors.square(gradient, s);
      vectors.add(sum!, s, sum!);
      vectors.sqrt(sum!, s);
      vectors.offset(s, epsilon, s);
      vectors.div(gradient, s, s);
      vectors.addScaled(s, -rate / (1 + (t - 1) * learningRateDecay), w, next);
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

/** `next = from - rate mhat / (sqrt(vhat) + epsilon)`. */
function adaptive(
  { beta1, beta2, epsilon, amsgrad }: AdamOptions,
  vectors: Vectors,
  { m, v, largest, next, s }: Addresses,
  gradient: number,
  from: number,
  rate: number,
  t: number,
): void {
  vectors.track(m!, beta1, gradient, s);
  vectors.square(gradient, s);
  vectors.track(v!, beta2, s, s);
  if (amsgrad) vectors.maximum(largest!, v!, largest!);
  vectors.sqrt(amsgrad ? largest! : v!, s);
  vectors.scale(s, 1 / Math.sqrt(1 - beta2 ** t), s);
  vectors.offset(s, epsilon, s);
  vectors.div(m!, s, s);
  vectors.scale(s, -rate / (1 - beta1 ** t), s);
  vectors.add(from, s, next);
}
