import { type Tensor, tensor, where } from "@chronograd/autodiff";
import { init } from "@chronograd/nn";
import { convLstm, sequential, unroll, type Values } from "@chronograd/rnn";

/** Sizes of a model of frames. */
export interface Sizes {
  /** Rows and columns of a frame. */
  readonly size: number;
  /** Rows and columns of the patches that a frame is cut into. */
  readonly patch: number;
  /** Channels of the state. */
  readonly hidden: number;
}

/**
 * Frames `[T, B, size, size]` as patches whose pixels are channels, `[T, B, p p, size/p, size/p]`.
 */
export function patchesOf(frames: Tensor, p: number): Tensor {
  const [T, B, size] = frames.shape as [number, number, number];
  const n = size / p;
  const cut = frames.reshape([T, B, n, p, n, p]).transpose([0, 1, 3, 5, 2, 4]);
  return cut.reshape([T, B, p * p, n, n]);
}

/** Frames that patches were cut from. */
export function framesOf(patches: Tensor): Tensor {
  const [T, B, pixels, n] = patches.shape as [number, number, number, number];
  const p = Math.sqrt(pixels);
  const joined = patches.reshape([T, B, p, p, n, n]).transpose([0, 1, 4, 2, 5, 3]);
  return joined.reshape([T, B, n * p, n * p]);
}

/** A linear map of the channels of each pixel, as a layer, whose bias starts as `start`. */
function pixelwise(input: number, output: number, start: number) {
  return {
    params: {
      W: init.uniform(1 / Math.sqrt(input), output, input, 1, 1),
      b: init.constant(start, output, 1, 1),
    },
    apply: ({ W, b }: { W: Tensor; b: Tensor }, x: Tensor) => x.conv2d(W).add(b),
  };
}

/**
 * Says the next frame, as logits of its pixels. Where a frame is not seen, the cell goes on from
 * what it said itself.
 */
export function forecaster({ size, patch, hidden }: Sizes) {
  const [channels, n] = [patch ** 2, size / patch];
  const model = sequential({
    convLstm: convLstm({ input: channels, hidden, height: n, width: n }),
    // Most pixels are black: sigmoid(-2) is 0.12.
    head: pixelwise(hidden, channels, -2),
  });
  const state = { model: model.state, said: init.zeros(channels, n, n) };
  return {
    params: model.params,
    state,
    step(
      params: Values<typeof model.params>,
      { frame, seen }: { frame: Tensor; seen: Tensor },
      before: Values<typeof state>,
    ) {
      // Pixels differ by a fifth or so; a cell learns faster from inputs that differ by about 1.
      const x = where(seen, frame, before.said).mul(4);
      const [logits, next] = model.step(params, x, before.model);
      return [logits, { model: next, said: logits.sigmoid() }] as const;
    },
  };
}

export type Forecaster = ReturnType<typeof forecaster>;

/**
 * Logits of the frames that follow each of some `[T, B, H, W]`, of which the first ones are seen.
 */
export function logitsOf(
  model: Forecaster,
  params: Values<Forecaster["params"]>,
  frames: Tensor,
  seen: number,
): Tensor {
  const [T, B] = frames.shape as [number, number];
  const flags = Int32Array.from({ length: T * B }, (_, i) => Number(i < seen * B));
  const patches = patchesOf(frames, Math.sqrt(model.state.said.shape[0]!));
  const inputs = { frame: patches, seen: tensor(flags, { shape: [T, B, 1, 1, 1] }) };
  return framesOf(unroll(model, params, inputs, { compile: true }).outputs);
}

/** Continues frames `[T, B, H, W]` by `[ahead, B, H, W]`. */
export function forecast(
  model: Forecaster,
  params: Values<Forecaster["params"]>,
  frames: Tensor,
  ahead: number,
): Tensor {
  const seen = frames.shape[0]!;
  const places = frames.pad([
    [0, ahead - 1],
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  const logits = logitsOf(model, params, places, seen);
  return logits.slice([[seen - 1, seen + ahead - 1]]).sigmoid();
}
