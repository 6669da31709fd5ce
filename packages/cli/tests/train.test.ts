import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { loadCheckpoint } from "@chronograd/nn/node";
import { decodeSafetensors, encodeSafetensors } from "@chronograd/nn/safetensors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

type Saved = Record<"params" | "optimizer" | "live", unknown>;

const main = join(import.meta.dirname, "../src/main.ts");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chronograd-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the program in the scratch folder; never throws. */
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

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A text with something to learn. */
const rhyme =
  "row, row, row your boat, gently down the stream; merrily, merrily, life is but a dream. ".repeat(
    60,
  );
const small = ["--hidden", "16", "--batch", "4", "--k1", "5", "--k2", "10"];

describe("the command line", () => {
  test("--help lists every option", async () => {
    const { code, stdout } = await run("--help");
    expect(code).toBe(0);
    for (const name of "text cell hidden batch k1 k2 clip lr seconds windows save seed resume temperature name".split(
      " ",
    )) {
      expect(stdout).toContain(`--${name} `);
    }
  });

  test.each([
    ["an unknown option", ["--layers", "2"], /Unknown option '--layers'.*--text --cell/],
    ["an option without its value", ["--hidden"], /--hidden/],
    ["a word too many", ["words"], /words/],
    ["a cell that is none", ["--cell", "mlp"], /--cell must be one of lstm, gru, elman, got "mlp"/],
    ["a size of zero", ["--hidden", "0"], /--hidden must be a whole number of at least 1, got "0"/],
    [
      "a fraction of a batch",
      ["--batch", "2.5"],
      /--batch must be a whole number of at least 1, got "2.5"/,
    ],
    ["a negative rate", ["--lr=-1"], /--lr must be a number above 0, got "-1"/],
    ["an empty number", ["--clip", ""], /--clip must be a number above 0, got ""/],
    ["k2 below k1", ["--k1", "10", "--k2", "5"], /--k2 must be at least --k1, got k1 10 and k2 5/],
    ["a seed out of range", ["--seed=-3"], /--seed must be a whole number from 0/],
    ["a name with a path", ["--name", "../x"], /--name may hold letters/],
    ["a missing text", ["--text", "nowhere.txt"], /--text: cannot read nowhere.txt/],
    [
      "a missing run",
      ["--resume", "runs/none"],
      /--resume: runs\/none is not the folder of a run: .* there is no such file/,
    ],
  ])("%s", async (_what, args, message) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test.each([
    ["an empty file", "", /is empty/],
    ["one distinct character", "a".repeat(500), /one distinct character, "a"/],
    ["a few characters", "abcabc", /6 characters, too few/],
    ["bytes that are no UTF-8", Uint8Array.of(0xff, 0xfe, 0x00, 0xd8, 0x41), /not UTF-8/],
  ])("a text of %s", async (_what, content, message) => {
    const { code, stderr } = await run("--text", file("bad.txt", content), ...small);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(existsSync(join(folder, "runs", "lstm-16-1"))).toBe(false);
  });
});

describe("a run", () => {
  const text = () => file("rhyme.txt", rhyme);

  test("learns, and leaves a folder that is complete", async () => {
    const { code, stdout, stderr } = await run(
      "--text",
      text(),
      ...small,
      "--seconds",
      "2",
      "--name",
      "first",
    );
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(/held-out loss .* nats \(.* bits\) per character/);
    expect(stdout).toMatch(/A sample at temperature 0.7/);
    const at = join(folder, "runs", "first");
    expect(readdirSync(at).sort()).toEqual([
      "metrics.jsonl",
      "model.safetensors",
      "model.safetensors.previous",
      "report.html",
    ]);
    const metrics = readFileSync(join(at, "metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(metrics.at(-1).loss).toBeLessThan(metrics[0].loss);
    expect(metrics.map((m: { window: number }) => m.window)).toEqual(
      metrics.map((_: unknown, i: number) => i),
    );
    const page = readFileSync(join(at, "report.html"), "utf8");
    expect(page.match(/<svg/g)).toHaveLength(3);
    expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|src=|@import/);
    const { tensors } = decodeSafetensors(readFileSync(join(at, "model.safetensors")));
    expect(Object.keys(tensors)).toContain("params.cell.W");
  });

  test("is not overwritten by another of its name", async () => {
    const { code, stderr } = await run(
      "--text",
      text(),
      ...small,
      "--seconds",
      "1",
      "--name",
      "first",
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /runs\/first exists already; choose another name, or go on with --resume runs\/first/,
    );
  });

  test("goes on where it stopped, and refuses other options", async () => {
    const before = readFileSync(join(folder, "runs/first/metrics.jsonl"), "utf8")
      .trim()
      .split("\n").length;
    const refused = await run("--resume", "runs/first", "--hidden", "32");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/leave out --hidden/);
    const over = await run("--resume", "runs/first", "--windows", "1");
    expect(over.code).toBe(2);
    expect(over.stderr).toMatch(/--windows: runs\/first has \d+ windows already, got 1/);
    const { code } = await run("--resume", "runs/first", "--seconds", "1");
    expect(code).toBe(0);
    const lines = readFileSync(join(folder, "runs/first/metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((l) => JSON.parse(l));
    expect(lines.length).toBeGreaterThan(before);
    expect(lines[before].window).toBe(before);
    expect(lines[before].loss).toBeLessThan(lines[0].loss / 2);
  });

  test.each([
    ["truncated", (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1)],
    ["of another kind", () => new TextEncoder().encode("not a model at all")],
    ["of another model", () => encodeSafetensors({})],
  ])("does not resume from a model file that is %s, and leaves it alone", async (_what, damage) => {
    const path = join(folder, "runs/first/model.safetensors");
    const whole = readFileSync(path);
    const damaged = damage(whole);
    writeFileSync(path, damaged);
    const { code, stderr } = await run("--resume", "runs/first", "--seconds", "1");
    expect(code).not.toBe(0);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(readFileSync(path).equals(damaged)).toBe(true);
    expect(readdirSync(join(folder, "runs/first"))).toHaveLength(4);
    writeFileSync(path, whole);
  });

  test("does not go on with another text", async () => {
    file("rhyme.txt", rhyme.replaceAll("stream", "street"));
    const { code, stderr } = await run("--resume", "runs/first", "--seconds", "1");
    file("rhyme.txt", rhyme);
    expect(code).toBe(2);
    expect(stderr).toMatch(/rhyme.txt is another text than runs\/first has read/);
  });

  test("that diverges ends in a sentence, and keeps its last checkpoint", async () => {
    const args = ["--text", text(), ...small, "--seconds", "20", "--name", "wild"];
    const { code, stderr } = await run(...args, "--lr", "1e38");
    expect(code).toBe(1);
    expect(stderr).toMatch(/the loss of step \d+ is (NaN|Infinity); forward: /);
    await loadCheckpoint(join(folder, "runs/wild/model.safetensors"));
  });

  /** Starts a run, and ends it by a signal a while after its first words. */
  async function interrupted(signal: NodeJS.Signals, after: number, ...args: string[]) {
    const child = spawn(process.execPath, [main, ...args], { cwd: folder });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (output.includes("chars/s")) return;
      output += chunk.toString();
      if (output.includes("chars/s")) setTimeout(() => child.kill(signal), after);
    });
    const [code] = await once(child, "exit");
    return code;
  }

  /** What a run has become, but for the times it took. */
  async function outcome(name: string) {
    const at = join(folder, "runs", name);
    const saved = await loadCheckpoint<Saved>(join(at, "model.safetensors"));
    const { params, optimizer, live } = saved;
    const lines = readFileSync(join(at, "metrics.jsonl"), "utf8").trim().split("\n");
    const metrics = lines.map((line) => {
      const { seconds, charactersPerSecond, heldOut, ...others } = JSON.parse(line);
      return others;
    });
    const state = tree.map({ params, optimizer, live }, (x: Tensor) => [...x.toTypedArray()]);
    return { metrics, state };
  }

  test("killed again and again, and resumed, is the run that was never killed", async () => {
    const common = ["--windows", "1500", "--seconds", "30", "--save", "0.05"];
    const whole = await run("--text", text(), ...small, ...common, "--name", "whole");
    expect(whole.code).toBe(0);
    const random = rng(Number(process.env.CHRONOGRAD_SEED ?? 1), "kills");
    let start = ["--text", text(), ...small, "--name", "killed"];
    for (const signal of ["SIGKILL", "SIGKILL", "SIGINT", "SIGKILL"] as const) {
      const code = await interrupted(signal, random.integer(0, 250), ...start, ...common);
      if (signal === "SIGINT") expect(code).toBe(0);
      start = ["--resume", "runs/killed"];
    }
    const { code } = await run(...start, ...common);
    expect(code).toBe(0);
    expect(await outcome("killed")).toEqual(await outcome("whole"));
  }, 60_000);

  test("with the same seed has the same losses, window for window", async () => {
    const losses = async (name: string, seed: string) => {
      await run(
        "--text",
        text(),
        ...small,
        "--cell",
        "gru",
        "--seconds",
        "1",
        "--seed",
        seed,
        "--name",
        name,
      );
      const lines = readFileSync(join(folder, "runs", name, "metrics.jsonl"), "utf8")
        .trim()
        .split("\n");
      return lines.slice(0, 20).map((line) => JSON.parse(line).loss);
    };
    const [a, b, c] = [await losses("a", "5"), await losses("b", "5"), await losses("c", "6")];
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });
});
