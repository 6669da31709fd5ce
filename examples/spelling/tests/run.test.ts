import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const main = join(import.meta.dirname, "../src/main.ts");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chronograd-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the example in the scratch folder; never throws. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args], {
      cwd: folder,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

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
