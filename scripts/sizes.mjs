// What programs weigh in a browser: bundled and minified by esbuild, compressed by gzip -9. Fails
// above the limits, on any import that only Node has, and where a program with a limit makes
// functions from text, which strict pages forbid. `npm run sizes -- --write` writes the table that
// the site shows.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const all = (...names) => names.map((name) => `export * from "@chronograd/${name}";`).join("\n");

const entries = [
  {
    what: "Everything: the main entry points of autodiff, nn and rnn",
    program: all("autodiff", "nn", "rnn"),
    limit: 178_000,
  },
  {
    what: "One tensor and its gradient",
    program: `import { grad, tensor } from "@chronograd/autodiff";
      console.log(grad((x) => x.square().sum())(tensor([1, 2])).toArray());`,
    limit: 83_000,
  },
  {
    what: "A cell of one's own, trained by `truncated`",
    program: 'import { train } from "./consumers/project/train.js"; console.log(train());',
    limit: 139_000,
  },
  ...["autodiff", "autodiff/extend", "autodiff/ndarray", "autodiff/testing", "autodiff/reference"],
  ...[
    "nn",
    "nn/data",
    "nn/metrics",
    "nn/parallel",
    "nn/safetensors",
    "rnn",
    "rnn/decode",
    "rnn/pytorch",
    "rnn/testing",
  ],
  {
    what: "The kernels alone",
    program: 'export * from "./packages/autodiff/dist/kernels/simd/index.js";',
  },
].map((entry) =>
  typeof entry === "string" ? { what: `@chronograd/${entry}`, program: all(entry) } : entry,
);

const rows = [];
for (const { what, program, limit } of entries) {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    logLevel: "error",
  });
  const [{ contents, text }] = outputFiles;
  if (/\bfrom\s*"node:|require\("/.test(text)) throw new Error(`sizes: "${what}" asks for Node`);
  if (limit && /\b(Function|eval)\(/.test(text))
    throw new Error(`sizes: "${what}" makes code of text`);
  const gzip = gzipSync(contents, { level: 9 }).length;
  rows.push({ what, minified: contents.length, gzip, ...(limit && { limit }) });
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  console.log(`${kilobytes(gzip).padStart(9)}${limit ? ` of ${kilobytes(limit)}` : ""}  ${what}`);
}
if (process.argv.includes("--write")) {
  writeFileSync(`${root}bench/results/sizes.json`, `${JSON.stringify(rows, null, 2)}\n`);
}
const heavy = rows.filter(({ gzip, limit }) => gzip > (limit ?? Number.POSITIVE_INFINITY));
for (const { what, gzip, limit } of heavy) {
  console.error(`sizes: "${what}" has ${gzip} bytes, expected at most ${limit}`);
}
process.exitCode = heavy.length === 0 ? 0 : 1;
