import { arange, type Tensor, zeros } from "@chronograd/autodiff";

/** Continues frames that were seen, `[T, B, H, W]`, by `[ahead or 1, B or 1, H, W]`. */
export type Forecast = (seen: Tensor, ahead: number) => Tensor;

/** The frame that is i before the last one, `[1, B, H, W]`. */
function before(seen: Tensor, i: number): Tensor {
  const at = seen.shape[0]! - 1 - i;
  return seen.slice([[at, at + 1]]);
}

/** Each pixel goes on as it changed last: `x_t + k (x_t - x_{t-1})` for k = 1, 2, ... */
const linear: Forecast = (seen, ahead) => {
  const k = arange(1, ahead + 1).reshape([ahead, 1, 1, 1]);
  return before(seen, 0).add(k.mul(before(seen, 0).sub(before(seen, 1))));
};

/** Forecasts without learning, by name. */
export const baselines: Readonly<Record<string, Forecast>> = {
  "last frame": (seen) => before(seen, 0),
  linear,
  "linear, within 0 and 1": (seen, ahead) => linear(seen, ahead).clip(0, 1),
  "black frame": (seen) => zeros([1, 1, ...seen.shape.slice(2)]),
  "mean of all frames": (seen) => seen.mean([0, 1], { keepDims: true }),
};

/** The squared error of frames, summed over pixels and averaged over sequences: T numbers. */
export function frameErrors(said: Tensor, truth: Tensor): number[] {
  const errors = said.sub(truth).square().sum([-2, -1]).mean(-1);
  return errors.toArray() as number[];
}
