import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scratch } from "../../scratch.ts";

const { folder, run } = scratch(import.meta.dirname);

describe("the example", () => {
  test("learns the rules, and says words that it was not taught", async () => {
    const { code, stdout } = await run("--smoke", "--json", "--name", "small");
    expect(code).toBe(0);
    const { example, figures, seed } = JSON.parse(stdout);
    expect([example, seed]).toEqual(["spelling", 1]);
    const [{ what, value, better, baselines }] = figures;
    expect([what, better]).toEqual(["error rate of phonemes, held-out words", "lower"]);
    expect(Object.keys(baselines)).toEqual(["letter by letter", "letters in context"]);
    // To say nothing, or one phoneme always, is above 80 %.
    expect(value).toBeLessThan(40);
    const path = join(folder, "runs/small");
    for (const name of ["run.json", "metrics.jsonl", "model.safetensors", "report.html"]) {
      expect(existsSync(join(path, name))).toBe(true);
    }
    expect(readFileSync(join(path, "attention.svg"), "utf8")).toMatch(/^<svg/);

    const asked = await run("--word", "chat", "--from", "runs/small", "--json");
    const answer = JSON.parse(asked.stdout);
    expect(answer.word).toBe("CHAT");
    expect(answer.weights.length).toBe(answer.phonemes.length);
    for (const weights of answer.weights as number[][]) {
      expect(weights.length).toBe(4);
      expect(weights.reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 5);
    }
  }, 30_000);

  test.each([
    ["a word with a digit", ["--word", "r2d2"], 2],
    ["no speller", ["--word", "chat", "--from", "runs/none"], 2],
    ["batches of more words than there are", ["--size", "200000"], 2],
  ])(
    "%s",
    async (_what, args, expected) => {
      const { code, stderr } = await run(...args);
      expect(code).toBe(expected);
      expect(stderr).not.toMatch(/\n\s+at /);
    },
    30_000,
  );
});
