// `npm run bench:markdown`: the tables of the README from a run's JSON, bench/results/latest.json
// unless another file is named.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Result } from "./measure.ts";

const [file = fileURLToPath(new URL("results/latest.json", import.meta.url))] =
  process.argv.slice(2);
const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: readonly Result[] };

/** A row of a table: the fastest of some systems in each case. */
interface Row {
  readonly title: string;
  readonly model: string;
  readonly systems: RegExp;
}

const all: readonly Row[] = [
  { title: "LSTM", model: "lstm", systems: /^chronograd(?!-wasm|-recorded|-\d-rank)/ },
  { title: "LSTM, WebAssembly only", model: "lstm", systems: /^chronograd-wasm/ },
  { title: "LSTM as a custom cell", model: "custom", systems: /^chronograd(?!-wasm|-recorded)/ },
  { title: "PyTorch, LSTM", model: "lstm", systems: /^pytorch(-padded)?$/ },
  { title: "PyTorch, cell in a loop", model: "lstm", systems: /^pytorch-(?!padded)/ },
  { title: "JAX, `lax.scan`", model: "lstm", systems: /^jax$/ },
  { title: "jax-js, jit", model: "lstm", systems: /^jax-js$/ },
  { title: "TensorFlow.js, wasm", model: "lstm", systems: /^tfjs-wasm$/ },
];

const milliseconds = (ms: number): string =>
  ms >= 100 ? ms.toFixed(0) : String(Number(ms.toPrecision(2)));

/** A table of milliseconds; `*` in the name of a case stands for the model. */
function table(rows: readonly Row[], names: Readonly<Record<string, string>>): string {
  const fields = rows.map(({ title, model, systems }) => [
    title,
    ...Object.values(names).map((name) => {
      const times = cases
        .filter((one) => one.name === name.replace("*", model) && systems.test(one.system))
        .map(({ median_ms }) => median_ms);
      return times.length === 0 ? "" : milliseconds(Math.min(...times));
    }),
  ]);
  const lines = [["", ...Object.keys(names)], ...fields];
  const widths = lines[0]!.map((_, k) => Math.max(...lines.map((line) => line[k]!.length)));
  const [head, ...body] = lines.map(
    (line) =>
      `| ${line.map((text, k) => (k === 0 ? text.padEnd(widths[k]!) : text.padStart(widths[k]!))).join(" | ")} |`,
  );
  const rule = `| ${widths.map((width, k) => (k === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [head, rule, ...body].join("\n");
}

const sizes = ["32x1", "128x32", "256x32", "512x64"];
console.log("Milliseconds of a training step, hidden units x rows:\n");
console.log(
  table(all, Object.fromEntries(sizes.map((size) => [size.replace("x", " x "), `*-${size}`]))),
);
console.log("\nMilliseconds of a training step on minibatches:\n");
const minibatches = ["T28", "T784", "T100", "ragged"];
console.log(
  table(all.slice(0, 6), Object.fromEntries(minibatches.map((s) => [s, `minibatch-*-${s}`]))),
);
console.log("\nCharacters a second in the loop of npm start:\n");
for (const { name, system, config, median_ms } of cases) {
  if (name !== "start") continue;
  const rate = (1000 * Number(config.tokens)) / median_ms;
  console.log(`${system.padEnd(16)} ${Number(rate.toPrecision(3)).toLocaleString("en")}`);
}
