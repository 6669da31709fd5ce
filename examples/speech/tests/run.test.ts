import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratch } from "../../scratch.ts";

const { folder, run } = scratch(import.meta.dirname);

/** A second of a tone as a WAV file of 8 bits, stereo, at 11025 Hz. */
function tone(path: string): void {
  const bytes = Buffer.alloc(44 + 2 * 11025, 128);
  bytes.write("RIFF....WAVEfmt ", "latin1");
  bytes.writeUInt32LE(bytes.length - 8, 4);
  const format = [16, 0x00020001, 11025, 22050, 0x00080002];
  for (const [i, word] of format.entries()) bytes.writeUInt32LE(word, 16 + 4 * i);
  bytes.write("data", 36, "latin1");
  bytes.writeUInt32LE(2 * 11025, 40);
  for (let i = 44; i < bytes.length; i++) bytes[i] = 128 + 90 * Math.sin(i / 9);
  writeFileSync(path, bytes);
}

test("smoke: trains on tones, writes a report, and reads a recording of another format", async () => {
  const { code, stdout, stderr } = await run("--smoke", "--json", "--name", "tones");
  expect([code, stderr]).toEqual([0, expect.stringContaining("telephone tones")]);
  const { example, figures, seed } = JSON.parse(stdout) as {
    example: string;
    figures: { what: string; value: number; baselines: Record<string, number> }[];
    seed: number;
  };
  expect([example, seed]).toEqual(["speech", 1]);
  expect(figures.map(({ what }) => what)).toEqual([
    "single digits",
    "single digits of high",
    "connected digits",
  ]);
  expect(figures.every(({ value }) => Number.isFinite(value))).toBe(true);
  expect(readFileSync(join(folder, "runs/tones/report.html"), "utf8")).toContain("<svg");

  tone(join(folder, "tone.wav"));
  const heard = await run("--listen", "tone.wav", "--json");
  expect([heard.code, heard.stderr === ""]).toEqual([0, false]);
  const { digits } = JSON.parse(heard.stdout) as { digits: number[] };
  expect(digits.every((digit) => digit >= 0 && digit <= 9)).toBe(true);
});

test("what is missing or wrong is a sentence and exit code 2", async () => {
  mkdirSync(join(folder, "empty"));
  const cases: readonly [readonly string[], RegExp][] = [
    [["--data", "empty"], /empty has no recordings such as 7_jackson_32.wav; get the Free Spoken/],
    [["--listen", "text.wav", "--name", "none"], /--listen needs a run of this example named none/],
  ];
  await Promise.all(
    cases.map(async ([args, message]) => {
      const { code, stderr } = await run(...args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
      expect(stderr).not.toMatch(/\n\s+at /);
    }),
  );
  expect(existsSync(join(folder, "runs/speech-1"))).toBe(false);
});
