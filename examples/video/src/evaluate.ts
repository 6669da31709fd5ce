import { scope, type Tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { baselines, type Forecast, frameErrors } from "./baselines.ts";
import { type Bouncing, bouncing } from "./bouncing.ts";
import type { Digits } from "./digits.ts";

/** Sequences that run at a time. */
const together = 50;

/**
 * The squared error of each frame ahead, of a model and of every baseline, over sequences of
 * held-out images: the same ones for every seed of a training.
 *
 * @param model continues frames `[T, B, H, W]` that were seen by `[ahead, B, H, W]`
 */
export function evaluate(
  model: (frames: Tensor) => Tensor,
  images: Digits,
  count: number,
  seen: number,
  how: Bouncing,
): Record<string, number[]> {
  const random = rng(1, "held-out sequences");
  const ahead = how.steps - seen;
  const forecasts: Record<string, Forecast> = { ConvLSTM: model, ...baselines };
  const found: Record<string, number[]> = {};
  for (const name of Object.keys(forecasts)) found[name] = new Array<number>(ahead).fill(0);
  for (let done = 0; done < count; done += together) {
    const rows = Math.min(together, count - done);
    scope(() => {
      const frames = bouncing(random, images, rows, how);
      const [given, truth] = [frames.slice([[0, seen]]), frames.slice([[seen, how.steps]])];
      for (const [name, forecast] of Object.entries(forecasts)) {
        const errors = frameErrors(forecast(given, ahead), truth);
        for (const [k, error] of errors.entries()) found[name]![k]! += (error * rows) / count;
      }
    });
  }
  return found;
}
