import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadCheckpoint, saveCheckpoint } from "@chronograd/nn/node";
import { decodeSafetensors } from "@chronograd/nn/safetensors";
import { expect, test } from "vitest";
import { train } from "../../src/commands/train.ts";
import { run } from "../run.ts";
import { metricsOf, rhyme, small, workFolder } from "./scratch.ts";

workFolder();

const onRhyme = ["--text", "rhyme.txt", ...small];

test("a run learns, and leaves a folder that is complete", async () => {
  const { code, out, err } = await run(
    train,
    ...[...onRhyme, "--windows", "600", "--name", "first", "--csv-metrics"],
  );
  expect(err).toBe("");
  expect(code).toBe(0);
  expect(out).toMatch(/Held-out loss .* nats \(.* bits\) per character, over all 264 characters/);
  expect(out).toMatch(/A sample at temperature 0.7/);
  expect(readdirSync("runs/first").sort()).toEqual([
    "metrics.csv",
    "metrics.jsonl",
    "model.safetensors",
    "model.safetensors.previous",
    "report.html",
    "result.json",
    "run.json",
  ]);
  const metrics = metricsOf("first");
  expect(metrics.at(-1)!.loss).toBeLessThan(metrics[0]!.loss! / 4);
  expect(metrics.map(({ window }) => window)).toEqual(metrics.map((_, i) => i));
  expect(readFileSync("runs/first/metrics.csv", "utf8").trim().split("\n")).toHaveLength(601);
  const page = readFileSync("runs/first/report.html", "utf8");
  expect(page.match(/<svg/g)).toHaveLength(3);
  expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|src=|@import/);
  // Names, not paths.
  expect(page).toContain("<title>rhyme.txt, learnt by");
  expect(page).not.toContain(process.cwd());
  const { tensors } = decodeSafetensors(readFileSync("runs/first/model.safetensors"));
  expect(Object.keys(tensors)).toContain("params.cell.W");
});

test("it is not overwritten by another of its name, unless that is asked for", async () => {
  const again = [...onRhyme, "--windows", "2", "--name", "first"];
  const { code, err } = await run(train, ...again);
  expect(code).toBe(2);
  expect(err).toMatch(/runs\/first exists already; choose another name, or give --force/);
  expect(metricsOf("first")).toHaveLength(600);
  await run(train, ...[...onRhyme, "--windows", "2", "--name", "other"]);
  const forced = await run(train, ...[...onRhyme, "--windows", "3", "--name", "other", "--force"]);
  expect(forced.code).toBe(0);
  expect(metricsOf("other")).toHaveLength(3);
  // Nothing is lost: the earlier run has another name.
  expect(metricsOf("other.previous")).toHaveLength(2);
});

test("it goes on where it stopped, and refuses other options", async () => {
  const refused = async (...args: string[]) => {
    const { code, err } = await run(train, "--resume", "runs/first", ...args);
    expect(code).toBe(2);
    return err;
  };
  expect(await refused("--hidden", "32")).toMatch(/leave out --hidden/);
  expect(await refused("--windows", "1")).toMatch(/runs\/first has 600 windows already, got 1/);
  expect(await refused()).toMatch(/runs\/first is complete after 600 windows/);
  const { code } = await run(train, "--resume", "runs/first", "--windows", "620");
  expect(code).toBe(0);
  const metrics = metricsOf("first");
  expect(metrics[600]!.window).toBe(600);
  expect(metrics).toHaveLength(620);
  expect(metrics[600]!.loss).toBeLessThan(metrics[0]!.loss! / 2);
});

test("where it was killed before its report, that is all that is left to do", async () => {
  rmSync("runs/first/report.html");
  rmSync("runs/first/result.json");
  const { code } = await run(train, "--resume", "runs/first");
  expect(code).toBe(0);
  expect(metricsOf("first")).toHaveLength(620);
  const result = JSON.parse(readFileSync("runs/first/result.json", "utf8")) as {
    figures: { baselines: Record<string, number> }[];
  };
  // The characters of a 20th of the rhyme, by how often each comes in the rest, and once more.
  const [training, heldOut] = [rhyme.slice(0, 5016), rhyme.slice(5017)];
  const count = (c: string) => training.split(c).length;
  const all = training.length + new Set(rhyme).size;
  const losses = Array.from(heldOut, (c) => -Math.log(count(c) / all));
  const mean = losses.reduce((a, b) => a + b) / losses.length;
  const found = result.figures[0]!.baselines["frequencies of characters"]!;
  expect(Math.abs(found - mean)).toBeLessThan(1e-12);
});

test("it does not go on with the checkpoint of another model, and leaves it alone", async () => {
  const path = "runs/first/model.safetensors";
  const whole = readFileSync(path);
  await saveCheckpoint("other.safetensors", { lines: 3 }, { model: "another" });
  const other = readFileSync("other.safetensors");
  writeFileSync(path, other);
  const before = readdirSync("runs/first");
  const { code, err } = await run(train, "--resume", "runs/first", "--seconds", "1");
  expect(code).toBe(2);
  expect(err.trim().split("\n")).toHaveLength(1);
  expect(err).toMatch(/is of another model/);
  expect(readFileSync(path).equals(other)).toBe(true);
  expect(readdirSync("runs/first")).toEqual(before);
  writeFileSync(path, whole);
});

test("it does not go on with another text, nor from a folder of another version", async () => {
  writeFileSync("rhyme.txt", rhyme.replaceAll("stream", "street"));
  const other = await run(train, "--resume", "runs/first", "--seconds", "1");
  writeFileSync("rhyme.txt", rhyme);
  expect(other.code).toBe(2);
  expect(other.err).toMatch(/rhyme.txt has other data than runs\/first has read/);
  const path = "runs/first/run.json";
  const description = readFileSync(path, "utf8");
  writeFileSync(path, description.replace('"format": 3', '"format": 2'));
  const version = await run(train, "--resume", "runs/first", "--seconds", "1");
  writeFileSync(path, description.replace('"hidden": 16', '"hidden": 0'));
  const edited = await run(train, "--resume", "runs/first", "--seconds", "1");
  expect(edited.err).toMatch(/runs\/first\/run.json: hidden: .*>=1, got 0/);
  writeFileSync(path, description);
  expect(version.code).toBe(2);
  expect(version.err).toMatch(/runs\/first is a run folder of format 2, expected 3/);
});

test("a run that diverges ends in a sentence, and keeps its last checkpoint", async () => {
  const args = [...onRhyme, "--windows", "100", "--warmup", "0", "--name", "wild"];
  const { code, err } = await run(train, ...args, "--lr", "1e38");
  expect(code).toBe(1);
  expect(err).toMatch(/the loss of step \d+ is (NaN|Infinity); forward: .* a smaller --lr/);
  expect(err.trim().split("\n")).toHaveLength(1);
  await loadCheckpoint("runs/wild/model.safetensors");
});

test("with the same seed has the same losses, window for window", async () => {
  const losses = async (name: string, seed: string) => {
    const args = [...onRhyme, "--cell", "gru", "--windows", "20", "--seed", seed, "--name", name];
    const { out } = await run(train, ...args, "--json");
    expect((JSON.parse(out) as { seed: number }).seed).toBe(Number(seed));
    return metricsOf(name).map(({ loss }) => loss);
  };
  const [a, b, c] = [await losses("a", "5"), await losses("b", "5"), await losses("c", "6")];
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
});
