import { lstmCellState, lstmGates, lstmOutput, type Tensor, tensor } from "@chronograd/autodiff";
import { type Initializer, init, type Rng } from "@chronograd/nn";
import { type Cell, defineCell } from "../cell.ts";
import { forgetBias } from "../gates.ts";

/** Channels of a convolutional LSTM cell, and the size of its images. */
interface ImageSizes {
  /** Channels I of the input. */
  readonly input: number;
  /** Channels H of the state. */
  readonly hidden: number;
  /** Rows of images. */
  readonly height: number;
  /** Columns of images. */
  readonly width: number;
}

/** Sizes of a convolutional LSTM cell. */
export interface ConvLstmSizes extends ImageSizes {
  /** Rows and columns of the kernels, odd; 3 unless given. */
  readonly kernelSize?: number;
}

/**
 * Parameters of a convolutional LSTM cell with kernels of K rows and columns; the gates i, f, g, o
 * are in turn along the first axis.
 */
export interface ConvLstmParams {
  /** `[4H, I, K, K]` */
  readonly W: Initializer;
  /** `[4H, H, K, K]` */
  readonly U: Initializer;
  /** `[4H]` */
  readonly b: Initializer;
}

/**
 * The state of a convolutional LSTM cell: output `h` and memory `c`, each `[B, H, height, width]`.
 */
export interface ConvLstmState {
  readonly h: Initializer;
  readonly c: Initializer;
}

const small: ImageSizes = { input: 2, hidden: 2, height: 2, width: 3 };

/** Glorot's uniform distribution for the kernels of each gate. */
function kernels(input: number, hidden: number, kernelSize: number): Initializer {
  if (kernelSize % 2 !== 1) {
    throw new RangeError(
      `convLstm: kernelSize must be an odd whole number, so that a kernel has a pixel in its middle, got ${kernelSize}`,
    );
  }
  const limit = Math.sqrt(6 / ((input + hidden) * kernelSize ** 2));
  return init.uniform(limit, 4 * hidden, input, kernelSize, kernelSize);
}

const same = { padding: "same" } as const;

/**
 * The LSTM whose products are convolutions, so that inputs and states are images
 * `[B, channels, height, width]`: `i, f, o = sigmoid`, `g = tanh` of `W * x_t + U * h_{t-1} + b`,
 * `c_t = f c_{t-1} + i g`, `h_t = o tanh(c_t)` (Shi et al. 2015, Convolutional LSTM network,
 * equation 3, without the peepholes). Outside of the image there are zeros. The forget gate's bias
 * starts at 1, as in `lstm`.
 *
 * @example
 * ```ts
 * import { convLstm } from "@chronograd/rnn";
 *
 * const cell = convLstm({ input: 1, hidden: 8, height: 16, width: 16 });
 * cell.params.W.shape; // => [32, 1, 3, 3]
 * cell.state.h.shape; // => [8, 16, 16]
 * ```
 */
export const convLstm: (sizes: ConvLstmSizes) => Cell<ConvLstmParams, ConvLstmState> = defineCell({
  name: "convLstm",
  sizes: ["input", "hidden", "height", "width"],
  numbers: { kernelSize: 3 },
  input: ({ input, height, width }) => [input, height, width],
  params: ({ input, hidden, kernelSize }): ConvLstmParams => ({
    W: kernels(input, hidden, kernelSize),
    U: kernels(hidden, hidden, kernelSize),
    b: forgetBias(hidden),
  }),
  state: ({ hidden, height, width }: ImageSizes): ConvLstmState => ({
    h: init.zeros(hidden, height, width),
    c: init.zeros(hidden, height, width),
  }),
  step: ({ W, U, b }, x: Tensor, { h, c }) => {
    const images = x
      .conv2d(W, same)
      .add(h.conv2d(U, same))
      .add(b.reshape([-1, 1, 1]));
    // A gate's channels are contiguous in a row, as its columns are in an LSTM.
    const rows = [h.shape[0]!, -1];
    const gates = lstmGates(images.reshape(rows));
    const memory = lstmCellState(gates, c.reshape(rows));
    const next = lstmOutput(gates, memory).reshape(h.shape);
    return [next, { h: next, c: memory.reshape(c.shape) }];
  },
  equations: ({ W, U, b }, x: Tensor, { h, c }) => {
    const bias = b.reshape([-1, 1, 1]);
    const [i, f, g, o] = x.conv2d(W, same).add(h.conv2d(U, same)).add(bias).split(4, 1);
    const memory = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    const output = o.sigmoid().mul(memory.tanh());
    return [output, { h: output, c: memory }];
  },
  example: {
    sizes: small,
    input: (random: Rng, batch: number) => {
      const shape = [batch, small.input, small.height, small.width];
      const elements = { length: shape.reduce((a, b) => a * b, 1) };
      return tensor(
        Float64Array.from(elements, () => random.normal()),
        { shape },
      );
    },
  },
});
