// Runs `npm start`, `npm test` and all other tasks: installs what is missing, then runs the task.
// It needs nothing but Node and npm: pnpm comes through npx, and the tasks run on the Node that the
// lockfile names.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const [task, ...args] = process.argv.slice(2);
// `npm run example NAME -- ...` runs one of the examples.
const example = task === "example" ? args.shift() : undefined;

const tasks = {
  start: ["packages/cli/dist/main.js", "train"],
  example: [`examples/${example}/src/main.ts`],
  examples: ["scripts/examples.mjs"],
  parallel: ["examples/parallel/src/train.ts"],
  "parallel:local": ["examples/parallel/src/localUpdates.ts"],
  test: ["scripts/test.mjs"],
  packages: ["scripts/test.mjs", "--packages"],
  sizes: ["scripts/sizes.mjs"],
  docs: ["scripts/docs.mjs"],
  // The young generation gets a fixed size, because V8 lets it grow to 128 MiB in every program.
  memory: ["--max-semi-space-size=1", "scripts/memory.mjs"],
  verify: ["--conditions=@chronograd/source", "verification/verify.ts"],
  soak: ["--conditions=@chronograd/source", "verification/soak.ts"],
  plants: ["--conditions=@chronograd/source", "verification/plants/run.ts"],
  mutants: ["--conditions=@chronograd/source", "verification/mutants/run.ts"],
  bench: ["bench/main.ts"],
  "bench:scan": ["bench/scan.ts"],
  "bench:memory": ["bench/memory.ts"],
  "bench:markdown": ["bench/markdown.ts"],
  tasks: ["bench/tasks/main.ts"],
  stryker: ["scripts/stryker.mjs"],
  build: [],
};
if (!(task in tasks)) {
  console.error(`run: expected one of ${Object.keys(tasks).join(", ")}, got ${task ?? "nothing"}`);
  process.exit(2);
}
if (task === "example" && !existsSync(`${root}examples/${example}/src/main.ts`)) {
  const all = readdirSync(`${root}examples`).filter((name) =>
    existsSync(`${root}examples/${name}/src/main.ts`),
  );
  console.error(
    `run: there is no example ${example ?? "without a name"}; there are ${all.join(", ")}`,
  );
  process.exit(2);
}

/** Runs a command; on failure shows what it printed and stops. */
function must(what, command, commandArgs, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, commandArgs, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...options,
  });
  if (status === 0) return;
  console.error(`${what} failed.\n${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`);
  process.exit(status ?? 1);
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of [...files].sort()) hash.update(file).update(readFileSync(`${root}${file}`));
  return hash.digest("hex");
}

/**
 * Does `work` unless it was done for the same inputs and what it made is still there, unchanged.
 */
function once(name, files, outputs, work) {
  const stamp = `${root}node_modules/.setup/${name}`;
  const state = () =>
    outputs.every((output) => existsSync(root + output)) ? digest([...files, ...outputs]) : "";
  const before = existsSync(stamp) ? readFileSync(stamp, "utf8") : "never";
  if (before !== "" && before === state()) return;
  work();
  mkdirSync(`${root}node_modules/.setup`, { recursive: true });
  writeFileSync(stamp, state());
}

/** Files below a folder whose path, from there, matches. */
function list(folder, matches) {
  if (!existsSync(root + folder)) return [];
  return readdirSync(root + folder, { recursive: true })
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .filter((path) => !path.includes("node_modules/") && matches.test(path));
}
const manifests = ["packages", "examples", "docs"].flatMap((folder) =>
  list(folder, /^[^/]+(\/[^/]+)?\/package\.json$/),
);
const windows = process.platform === "win32";

once(
  "install",
  ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...manifests],
  ["node_modules/.pnpm/lock.yaml"],
  () => {
    console.log("Installing dependencies (the first time only) ...");
    must("Installing", "npx", ["-y", "pnpm@12.21.0", "install", "--frozen-lockfile"], {
      shell: windows,
    });
  },
);

const local = `${root}node_modules/.bin/node`;
const node = existsSync(local) ? local : process.execPath;

once(
  "kernels",
  [
    "scripts/build-kernels.mjs",
    "scripts/elementwise.mjs",
    ...list("packages/autodiff/src/kernels", /\.ts$/).filter(
      (path) => !path.endsWith("/module.ts"),
    ),
    ...list("packages/autodiff/simd", /\.ts$/).filter((path) => !path.includes("/build/")),
  ],
  ["packages/autodiff/src/kernels/simd/module.ts", "packages/autodiff/simd/build/plain.wasm"],
  () => {
    console.log("Compiling the kernels to WebAssembly ...");
    must("Compiling the kernels", node, ["scripts/build-kernels.mjs"]);
  },
);
once(
  "packages",
  ["tsconfig.base.json", ...list("packages", /^packages\/[^/]+\/(src\/.*\.ts|tsconfig\.json)$/)],
  ["autodiff/dist/index.js", "nn/dist/index.js", "rnn/dist/index.js", "cli/dist/main.js"].map(
    (path) => `packages/${path}`,
  ),
  () => {
    console.log("Compiling the packages ...");
    must("Compiling the packages", node, ["node_modules/typescript/bin/tsc", "-b"]);
    // Otherwise the output of deleted sources would be published.
    for (const path of list("packages", /^packages\/[^/]+\/dist\/(?!\.tsbuildinfo)/)) {
      const source = path.replace("/dist/", "/src/").replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts");
      if (!existsSync(root + source)) rmSync(root + path, { recursive: true, force: true });
    }
  },
);

if (tasks[task].length > 0) {
  const env = {
    ...process.env,
    CHRONOGRAD_MACHINE_NODE: process.env.npm_node_execpath ?? process.execPath,
  };
  const child = spawn(node, [...tasks[task], ...args], { cwd: root, stdio: "inherit", env });
  // Ctrl-C also reaches the task, which decides how to end; here it must not end the wait.
  process.on("SIGINT", () => {});
  child.on("exit", (code, signal) => process.exit(signal === null ? code : 1));
}
