// Runs the examples, one after another, and writes the table of examples/README.md: figures with
// their baselines, medians over seeds of ours and of PyTorch's, and times. `npm run examples` runs
// all; `npm run examples -- music video` runs some, and `-- --smoke` small stand-ins: these write
// nothing.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const names = ["language", "forecasting", "speech", "music", "video", "images", "spelling"];
const readme = `${root}examples/README.md`;
const marks = ["<!-- table -->", "<!-- /table -->"];

/** What the words of the command line ask for; a sentence where they are wrong. */
export function parse(words) {
  const flags = words.filter((word) => word.startsWith("-"));
  const only = words.filter((word) => !word.startsWith("-"));
  const flag = flags.find((each) => each !== "--smoke");
  if (flag !== undefined) return { problem: `there is no option ${flag}; there is --smoke` };
  const name = only.find((each) => !names.includes(each));
  if (name !== undefined) {
    return { problem: `there is no example ${name}; there are ${names.join(", ")}` };
  }
  return {
    smoke: flags.length > 0,
    only: names.filter((each) => only.length === 0 || only.includes(each)),
  };
}

/** The JSON objects of a file with one on each line; none without the file. */
function lines(path) {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line));
}

/** The middle of some numbers, or the mean of the two in the middle; nothing of none. */
export function median(values) {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
}

const shown = (value) => (value === undefined ? "" : String(Number(value.toPrecision(4))));

/** The rows of one example: a figure each, beside the figures of several seeds in files. */
export function rowsOf(name, { figures, seconds }, ours, peers) {
  return figures.map(({ what, unit, value, baselines }) => {
    const [own, peer] = [ours, peers].map((all) => all.filter((line) => line.what === what));
    const of = (some) => {
      const seeds = some.length === 1 ? `seed ${some[0].seed}` : `${some.length} seeds`;
      return some.length === 0
        ? ""
        : `${shown(median(some.map(({ figure }) => figure)))} (${seeds})`;
    };
    // Not every line was timed.
    const timed = [own, peer].map((all) => all.filter(({ seconds }) => seconds !== undefined));
    const [time, peerTime] = timed.map((some) => median(some.map(({ seconds }) => seconds)));
    const ratio = time !== undefined && peerTime !== undefined ? time / peerTime : undefined;
    const others = Object.entries(baselines).map(([of, number]) => `${shown(number)} ${of}`);
    return [
      `[${name}](${name}/README.md)`,
      unit === "" ? what : `${what} (${unit})`,
      shown(value),
      others.join(", "),
      of(own),
      of(peer),
      ratio === undefined ? "" : ratio.toFixed(2),
      seconds.toFixed(0),
    ];
  });
}

const heads = [
  "example",
  "figure",
  "this run",
  "baselines",
  "ours",
  "PyTorch",
  "time, ours / PyTorch",
  "seconds",
];
const aligned = ["---", "---", "---:", "---", "---:", "---:", "---:", "---:"];

/** A text with a table between its marks in the place of what stands there. */
export function withTable(text, rows, note) {
  const [before, rest] = text.split(marks[0]);
  const after = rest?.split(marks[1])[1];
  if (after === undefined) {
    throw new Error(
      `examples: examples/README.md has no ${marks.join(" and ")}; put them where the table goes`,
    );
  }
  const table = [heads, aligned, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
  return `${before}${marks[0]}\n\n${table}\n\n${note}\n\n${marks[1]}${after}`;
}

/** Runs one example: what it says goes to the terminal, and its result is returned. */
function run(name, smoke) {
  const main = `examples/${name}/src/main.ts`;
  if (!existsSync(`${root}${main}`)) return { problem: `${main} is not there` };
  const started = performance.now();
  const { status, signal, stdout } = spawnSync(
    process.execPath,
    [main, "--json", ...(smoke ? ["--smoke"] : [])],
    { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28 },
  );
  const seconds = (performance.now() - started) / 1000;
  if (status !== 0) return { problem: `ended with ${signal ?? `exit code ${status}`}` };
  try {
    const { figures } = JSON.parse(stdout);
    return { figures, seconds };
  } catch {
    return { problem: `printed no figures as JSON, but ${JSON.stringify(stdout.slice(0, 80))}` };
  }
}

function main() {
  const { problem, smoke, only } = parse(process.argv.slice(2));
  if (problem !== undefined) {
    console.error(`examples: ${problem}`);
    return 2;
  }
  const [rows, failed] = [[], []];
  for (const [i, name] of only.entries()) {
    console.log(`\n[${i + 1}/${only.length}] ${name}`);
    const result = run(name, smoke);
    if (result.problem !== undefined) {
      console.error(`examples: ${name} ${result.problem}`);
      failed.push(name);
      continue;
    }
    const folder = `${root}examples/${name}`;
    const own = rowsOf(name, result, lines(`${folder}/ours.jsonl`), lines(`${folder}/peer.jsonl`));
    rows.push(...own);
    for (const file of ["ours", "peer"]) {
      const known = result.figures.map(({ what }) => what);
      const other = lines(`${folder}/${file}.jsonl`).find(({ what }) => !known.includes(what));
      if (other === undefined || smoke) continue;
      console.error(
        `examples: ${file}.jsonl of ${name} has "${other.what}", which is none of its figures: "${known.join('", "')}"`,
      );
    }
    console.log(`${name}: ${result.seconds.toFixed(0)} s`);
    for (const [, what, value, baselines] of own) console.log(`  ${what}: ${value} | ${baselines}`);
  }
  if (failed.length > 0) {
    console.error(`\nexamples: ${failed.join(", ")} failed; the table stays as it was`);
    return 1;
  }
  if (smoke || only.length < names.length) return 0;
  const note = `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, seed 1.`;
  writeFileSync(readme, withTable(readFileSync(readme, "utf8"), rows, note));
  console.log(`\nwrote the table of examples/README.md`);
  return 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = main();
