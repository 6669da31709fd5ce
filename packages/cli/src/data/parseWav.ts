// The RIFF WAVE format: Microsoft & IBM 1991, Multimedia programming interface and data
// specifications 1.0; WAVE_FORMAT_EXTENSIBLE of 2001. All numbers are little-endian.
import { UsageError } from "../command/errors.ts";

/** Recorded sound. */
export interface Audio {
  /** Samples a second. */
  readonly rate: number;
  /** The samples of each channel; whole numbers become -1 to 1. */
  readonly channels: readonly Float32Array[];
}

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

type Sample = (view: DataView, at: number) => number;

const whole: Readonly<Record<number, Sample>> = {
  8: (view, at) => (view.getUint8(at) - 128) / 2 ** 7,
  16: (view, at) => view.getInt16(at, true) / 2 ** 15,
  24: (view, at) => (view.getUint16(at, true) + 2 ** 16 * view.getInt8(at + 2)) / 2 ** 23,
  32: (view, at) => view.getInt32(at, true) / 2 ** 31,
};
const floats: Readonly<Record<number, Sample>> = {
  32: (view, at) => view.getFloat32(at, true),
  64: (view, at) => view.getFloat64(at, true),
};
const pcm = 1;
const float = 3;
const extensible = 0xfffe;

/** Audio from the bytes of a WAV file; throws a `UsageError` that names the file and the fact. */
export function parseWav(bytes: Uint8Array, name: string): Audio {
  const refuse = (fact: string): never => {
    throw new UsageError(`readWav: ${name} ${fact}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length === 0) refuse("is empty");
  if (bytes.length < 12 || text(0) !== "RIFF" || text(8) !== "WAVE") {
    refuse("is no WAV file: it does not begin with RIFF and WAVE; convert it to WAV");
  }
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const announced = view.getUint32(at + 4, true);
    const body = at + 8;
    const left = bytes.length - body;
    // A program that writes into a pipe does not know the size.
    const size = announced === 2 ** 32 - 1 ? left : announced;
    if (text(at) === "fmt " && left >= 16) format = formatAt(view, body, Math.min(size, left));
    if (text(at) === "data") {
      if (format === undefined) return refuse("has no format before its samples");
      if (size > left) refuse(`is cut off: it announces ${size} bytes of samples and has ${left}`);
      return samplesAt(view, body, size, format, refuse);
    }
    // Chunks begin at even places.
    at = body + size + (size % 2);
  }
  return refuse("is cut off: it has no samples");
}

function formatAt(view: DataView, at: number, size: number): Format {
  const tag = view.getUint16(at, true);
  return {
    // The extended format has its tag at the head of an identifier.
    tag: tag === extensible && size >= 26 ? view.getUint16(at + 24, true) : tag,
    channels: view.getUint16(at + 2, true),
    rate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
}

function samplesAt(
  view: DataView,
  from: number,
  size: number,
  { tag, channels, rate, bits }: Format,
  refuse: (fact: string) => never,
): Audio {
  if (tag !== pcm && tag !== float) {
    refuse(`is of format ${tag}, expected 1 (PCM) or 3 (float); convert it to 16 bits PCM`);
  }
  const sample = (tag === float ? floats : whole)[bits];
  if (sample === undefined) {
    const expected = tag === float ? "32 or 64 for floats" : "8, 16, 24 or 32";
    return refuse(`has samples of ${bits} bits, expected ${expected}; convert it to 16 bits PCM`);
  }
  if (channels === 0) refuse("has 0 channels, expected at least 1");
  if (rate === 0) refuse("has 0 samples a second, expected at least 1");
  const bytes = bits / 8;
  const frames = Math.floor(size / (bytes * channels));
  const read = Array.from({ length: channels }, (_, channel) =>
    Float32Array.from({ length: frames }, (_, i) =>
      sample(view, from + (i * channels + channel) * bytes),
    ),
  );
  for (const [channel, samples] of read.entries()) {
    const bad = samples.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) refuse(`has ${samples[bad]} as sample ${bad} of channel ${channel}`);
  }
  return { rate, channels: read };
}
