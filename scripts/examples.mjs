// Runs every example, one after another, and writes the table of examples/README.md: figure,
// baselines, PyTorch's figure where its peer was run, and times. `--smoke` runs the small stand-ins
// and writes nothing.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const names = ["language", "forecasting", "speech", "music", "video", "images", "spelling"];
const smoke = process.argv.includes("--smoke");
const only = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const readme = `${root}examples/README.md`;
const marks = ["<!-- table -->", "<!-- /table -->"];

/** The JSON objects of a file with one on each line; none without the file. */
function lines(path) {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const shown = (value) => String(Number(value.toPrecision(4)));

const rows = [];
let failed = 0;
for (const name of only.length > 0 ? only : names) {
  console.log(`\n${name}`);
  const started = performance.now();
  const args = [`examples/${name}/src/main.ts`, "--json", ...(smoke ? ["--smoke"] : [])];
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) {
    console.error(`examples: ${name} ended with exit code ${status}`);
    failed++;
    continue;
  }
  const { figures } = JSON.parse(stdout);
  const seconds = (performance.now() - started) / 1000;
  const peers = lines(`${root}examples/${name}/peer.jsonl`);
  for (const { what, unit, value, baselines } of figures) {
    const peer = peers.filter((line) => line.what === what).map(({ figure }) => figure);
    rows.push({
      name,
      what: `${what} (${unit})`,
      value: shown(value),
      baseline: Object.entries(baselines)
        .map(([of, number]) => `${shown(number)} ${of}`)
        .join(", "),
      peer: peer.length > 0 ? shown(median(peer)) : "",
      seconds: seconds.toFixed(0),
    });
  }
}
for (const { name, what, value, baseline, peer } of rows) {
  console.log(`${name}: ${what} ${value} | ${baseline}${peer && ` | PyTorch ${peer}`}`);
}
if (!smoke && failed === 0 && only.length === 0) {
  const table = [
    "| example | figure | ours | baselines | PyTorch | seconds |",
    "| --- | --- | ---: | --- | ---: | ---: |",
    ...rows.map(
      ({ name, what, value, baseline, peer, seconds }) =>
        `| [${name}](${name}/README.md) | ${what} | ${value} | ${baseline} | ${peer} | ${seconds} |`,
    ),
    "",
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}.`,
  ].join("\n");
  const text = readFileSync(readme, "utf8");
  const [before, rest] = text.split(marks[0]);
  const after = rest.split(marks[1])[1];
  writeFileSync(readme, `${before}${marks[0]}\n\n${table}\n\n${marks[1]}${after}`);
}
process.exitCode = failed === 0 ? 0 : 1;
