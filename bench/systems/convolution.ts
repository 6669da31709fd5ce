import { scope, Tape, tensor } from "@chronograd/autodiff";
import { sizeOf } from "../protocol.ts";
import type { Maker } from "../serve.ts";

/**
 * A convolution of `N` images with `C` channels, `S` rows and `S` columns, by kernels of `K` rows
 * and columns, to as many channels of the same size; or its two gradients.
 */
export const convolution: Maker = ({ config }) => {
  const [N, C, S, K, repeat] = ["N", "C", "S", "K", "repeat"].map((name) =>
    sizeOf(config, name),
  ) as [number, number, number, number, number];
  const draw = (...shape: number[]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
      { shape },
    );
  };
  const images = [N, C, S, S];
  const [x, weight, cotangent] = [draw(...images), draw(C, C, K, K), draw(...images)];
  const options = { padding: (K - 1) / 2 };
  const forward = () => {
    const started = performance.now();
    scope(() => {
      x.conv2d(weight, options);
    });
    return performance.now() - started;
  };
  const backward = () =>
    scope(() => {
      const tape = new Tape();
      const watched = tape.watch({ x, weight });
      const y = watched.x.conv2d(watched.weight, options);
      const started = performance.now();
      tape.gradient(y, watched, { cotangent });
      return performance.now() - started;
    });
  const once = config.direction === "forward" ? forward : backward;
  return {
    step: () => {
      let ms = 0;
      for (let i = 0; i < repeat; i++) ms += once();
      return { ms: ms / repeat };
    },
  };
};
