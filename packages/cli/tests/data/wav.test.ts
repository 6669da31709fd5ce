import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mixed, readWav } from "../../src/data.ts";
import { folder } from "../files.ts";

const home = folder();

const u16 = (...values: number[]) => values.flatMap((v) => [v & 255, (v >>> 8) & 255]);
const u32 = (...values: number[]) => values.flatMap((v) => [...u16(v & 65535), ...u16(v >>> 16)]);
const ascii = (text: string) => [...text].map((c) => c.charCodeAt(0));
const chunk = (name: string, body: readonly number[]) => [
  ...ascii(name),
  ...u32(body.length),
  ...body,
  ...(body.length % 2 === 1 ? [0] : []),
];

interface Format {
  readonly tag?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly bits: number;
  readonly extra?: readonly number[];
}

/** A WAV file by hand. */
function wav(format: Format, data: readonly number[], before: readonly number[] = []): number[] {
  const { tag = 1, channels = 1, rate = 8000, bits, extra = [] } = format;
  const block = (channels * bits) / 8;
  const head = [...u16(tag, channels), ...u32(rate, rate * block), ...u16(block, bits), ...extra];
  const body = [...ascii("WAVE"), ...chunk("fmt ", head), ...before, ...chunk("data", data)];
  return [...ascii("RIFF"), ...u32(body.length), ...body];
}

function written(name: string, bytes: readonly number[]): string {
  const path = join(home, name);
  writeFileSync(path, Uint8Array.from(bytes));
  return path;
}

const read = (bytes: readonly number[]) => readWav(written("x.wav", bytes));
const samples = (bytes: readonly number[]) => read(bytes).channels.map((each) => [...each]);
const bytesOf = (view: Float32Array | Float64Array) => [...new Uint8Array(view.buffer)];

describe("readWav", () => {
  test.each<[string, Format, readonly number[]]>([
    ["8 bits", { bits: 8 }, [0, 64, 128, 192, 255]],
    ["16 bits", { bits: 16 }, u16(0x8000, 0xc000, 0, 0x4000, 0x7fff)],
    ["24 bits", { bits: 24 }, [0, 0, 0x80, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0x40, 255, 255, 0x7f]],
    ["32 bits", { bits: 32 }, u32(0x80000000, 0xc0000000, 0, 0x40000000, 0x7fffffff)],
  ])("%s: the least is -1, the greatest a unit below 1", (_label, format, data) => {
    const unit = 2 ** (1 - format.bits);
    expect(samples(wav(format, data))).toEqual([[-1, -0.5, 0, 0.5, Math.fround(1 - unit)]]);
  });

  test("low bytes of 24 bits count, in negative numbers too", () => {
    const data = [1, 2, 3, 0xff, 0xff, 0xff];
    expect(samples(wav({ bits: 24 }, data))).toEqual([[0x030201 / 2 ** 23, -1 / 2 ** 23]]);
  });

  test("floats are what they are", () => {
    const values = [-1.5, 0.25, 1e-20];
    const single = bytesOf(Float32Array.from(values));
    const expected = values.map(Math.fround);
    expect(samples(wav({ tag: 3, bits: 32 }, single))).toEqual([expected]);
    const double = bytesOf(Float64Array.from(values));
    expect(samples(wav({ tag: 3, bits: 64 }, double))).toEqual([expected]);
  });

  test("channels alternate; their mean is one channel", () => {
    const audio = read(wav({ bits: 16, channels: 2, rate: 44100 }, u16(0x4000, 0, 0x2000, 0xe000)));
    expect(audio.rate).toBe(44100);
    expect(audio.channels.map((each) => [...each])).toEqual([
      [0.5, 0.25],
      [0, -0.25],
    ]);
    expect([...mixed(audio)]).toEqual([0.25, 0]);
    expect(() => mixed({ rate: 1, channels: [] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mixed: expected at least one channel, got none]`,
    );
  });

  test("the extended format names its own; other chunks are passed over, odd ones too", () => {
    const guid = [...u16(22, 16), ...u32(4), ...u16(1), ...new Array<number>(14).fill(7)];
    const format = { tag: 0xfffe, bits: 16, extra: guid };
    expect(samples(wav(format, u16(0x4000), chunk("LIST", [1, 2, 3])))).toEqual([[0.5]]);
  });

  test("a file without a sample, and half a sample at the end", () => {
    expect(samples(wav({ bits: 16 }, []))).toEqual([[]]);
    expect(samples(wav({ bits: 16 }, [0, 64, 9]))).toEqual([[0.5]]);
  });

  test("a size that was not known when it was written: all that is there", () => {
    const bytes = wav({ bits: 16 }, u16(0x4000, 0xc000));
    bytes.splice(-8, 4, 255, 255, 255, 255);
    expect(samples(bytes)).toEqual([[0.5, -0.5]]);
  });

  test("other files are refused, by their name and the fact", () => {
    const refused = (bytes: readonly number[]) => () => {
      try {
        read(bytes);
      } catch (error) {
        throw new Error((error as Error).message.replace(home, "FOLDER"));
      }
    };
    const whole = wav({ bits: 16 }, u16(1, 2, 3, 4));
    expect(refused([])).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav is empty]`,
    );
    expect(refused(ascii("ID3 an MP3 file"))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav is no WAV file: it does not begin with RIFF and WAVE; convert it to WAV]`,
    );
    expect(refused(whole.slice(0, -2))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav is cut off: it announces 8 bytes of samples and has 6]`,
    );
    expect(refused(whole.slice(0, 30))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav is cut off: it has no samples]`,
    );
    expect(refused(whole.slice(0, 12))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav is cut off: it has no samples]`,
    );
    expect(refused(wav({ tag: 7, bits: 8 }, [1]))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav is of format 7, expected 1 (PCM) or 3 (float); convert it to 16 bits PCM]`,
    );
    expect(refused(wav({ bits: 12 }, [1, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav has samples of 12 bits, expected 8, 16, 24 or 32; convert it to 16 bits PCM]`,
    );
    expect(refused(wav({ tag: 3, bits: 16 }, [1, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav has samples of 16 bits, expected 32 or 64 for floats; convert it to 16 bits PCM]`,
    );
    expect(refused(wav({ bits: 16, channels: 0 }, [1, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav has 0 channels, expected at least 1]`,
    );
    expect(refused(wav({ bits: 16, rate: 0 }, [1, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav has 0 samples a second, expected at least 1]`,
    );
    const nan = bytesOf(Float32Array.of(0, Number.NaN));
    expect(refused(wav({ tag: 3, bits: 32 }, nan))).toThrowErrorMatchingInlineSnapshot(
      `[Error: readWav: FOLDER/x.wav has NaN as sample 1 of channel 0]`,
    );
    expect(() => readWav("missing.wav")).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: readWav: cannot read missing.wav: there is no such file]`,
    );
  });
});
