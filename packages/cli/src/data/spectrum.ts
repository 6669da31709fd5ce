import FFT from "fft.js";

/** Squared magnitudes of the Fourier transform of frames, from 0 to half the rate. */
export class Spectrum {
  /** Points of the transform: a power of two, at least as many as a frame has samples. */
  readonly size: number;
  readonly #fft: FFT;
  readonly #window: Float64Array;
  readonly #frame: Float64Array;
  readonly #transform: Float64Array;

  /** For frames of so many samples, weighted by Hann's window. */
  constructor(samples: number) {
    this.size = Math.max(2, 2 ** Math.ceil(Math.log2(samples)));
    this.#fft = new FFT(this.size);
    this.#window = Float64Array.from(
      { length: samples },
      (_, i) => Math.sin((Math.PI * i) / samples) ** 2,
    );
    this.#frame = new Float64Array(this.size);
    this.#transform = new Float64Array(2 * this.size);
  }

  /** `[size / 2 + 1]`, of the frame that begins at `from`; behind the end there is silence. */
  power(samples: Float32Array, from: number): Float64Array {
    const [frame, transform] = [this.#frame, this.#transform];
    for (let i = 0; i < this.#window.length; i++) {
      frame[i] = this.#window[i]! * (samples[from + i] ?? 0);
    }
    this.#fft.realTransform(transform, frame);
    const power = new Float64Array(this.size / 2 + 1);
    for (let bin = 0; bin < power.length; bin++) {
      power[bin] = transform[2 * bin]! ** 2 + transform[2 * bin + 1]! ** 2;
    }
    return power;
  }
}
