// The packages as other people use them: packed as they would be published, installed into an empty
// project outside of the repository, and trained by every consumer, from `consumers/project`.
// `npm run consumers`, and a part of `npm test`.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "./version.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = join(root, "consumers");
const tool = (path) => join(folder, "node_modules", path);
const windows = process.platform === "win32";

const node = process.execPath;
/**
 * The Node that runs npm: the packages must run on it too, whatever the workspace brings for
 * itself.
 */
const machineNode = process.env.CHRONOGRAD_MACHINE_NODE ?? node;
const deno = [node, tool("deno/bin.cjs"), "run", "--no-prompt"];

const bundle = (bundler) => [
  [node, join(folder, "bundle.mjs"), bundler, `out/${bundler}`],
  [node, `out/${bundler}/main.js`],
  [node, `out/${bundler}/only.js`],
];
const browse = (...args) => [[node, join(folder, "browse.mjs"), ...args]];
const compile = (major) =>
  ["bundler", "nodenext", "node"].map((name) => [
    ...[node, tool(`typescript-${major}/bin/tsc`)],
    ...["--project", `tsconfig.${name}.json`],
  ]);

const viteBuild = "Vite's production build";

/** Each consumer's commands, in the project's folder. */
export const consumers = {
  [`Node ${version(machineNode)}`]: [[machineNode, "node.js"]],
  [`Node ${version(node)}`]: [[node, "node.js"]],
  [`The command on Node ${version(node)}`]: [[node, "command.js", "briefly"]],
  // The same line where both are one version: all of it then.
  [`The command on Node ${version(machineNode)}`]: [[machineNode, "command.js"]],
  "Node, with require": [[machineNode, "required.cjs"]],
  "Node, without permissions": [[node, "--permission", "--allow-fs-read=*", "main.js"]],
  "Deno, with all permissions": [[...deno, "--allow-all", "node.js"]],
  "Deno, without permissions": [[...deno, "main.js"]],
  Bun: [[tool(".bin/bun"), "main.js"]],
  [viteBuild]: bundle("vite"),
  Rollup: bundle("rollup"),
  webpack: bundle("webpack"),
  esbuild: bundle("esbuild"),
  Parcel: bundle("parcel"),
  "Chromium, page and worker, from Vite's build under a strict policy": browse("build", "out/vite"),
  "Chromium, page and worker, from Vite's development server": browse("dev"),
  "Chromium, page, worker and threads, isolated from other origins": browse("isolated", "out/vite"),
  "TypeScript 7": compile(7),
  "TypeScript 6": compile(6),
  "TypeScript 5": compile(5),
};

/** Consumers that come after another one: a browser opens what the bundler has written. */
export const after = {
  "Chromium, page and worker, from Vite's build under a strict policy": viteBuild,
  "Chromium, page and worker, from Vite's development server": viteBuild,
  "Chromium, page, worker and threads, isolated from other origins": viteBuild,
};

/** Why a consumer cannot run on this machine; nothing if it can. */
export function missing(name) {
  const chromium = process.env.CHRONOGRAD_CHROMIUM ?? "/usr/bin/chromium";
  if (!name.startsWith("Chromium") || process.env.CHRONOGRAD_EXPECTS_CHROMIUM) return undefined;
  return existsSync(chromium) ? undefined : `there is no ${chromium}`;
}

function must(command, args, cwd) {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", shell: windows });
  if (result.status === 0) return;
  throw new Error(`consumers: ${command} ${args.join(" ")}\n${result.stdout}${result.stderr}`);
}

/** How npm installs. */
const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"];

/** Brings the bundlers and runtimes that the lockfile names, unless they are here. */
function bringTools() {
  const lock = readFileSync(join(folder, "package-lock.json"), "utf8");
  const stamp = tool(".installed.json");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  must("npm", ["ci", ...flags], folder);
  // The only install script that is needed: it chooses Bun's binary.
  must(node, ["install.js"], tool("bun"));
  writeFileSync(stamp, lock);
}

/**
 * Makes an empty project with nothing but the packages of `tarballs`, and the programs that use
 * them.
 */
function makeProject(project, tarballs) {
  mkdirSync(project, { recursive: true });
  cpSync(join(folder, "project"), project, { recursive: true });
  const packed = readdirSync(tarballs).filter((file) => file.endsWith(".tgz"));
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  // Where Node's own modules are used, their types are the user's to bring.
  const types = `@types/node@${devDependencies["@types/node"]}`;
  const paths = packed.map((file) => join(resolve(tarballs), file));
  must("npm", ["install", ...flags, ...paths, types], project);
}

/** Runs one consumer in the project. */
function run(name, project) {
  for (const [command, ...args] of consumers[name]) {
    const result = spawnSync(command, args, { cwd: project, encoding: "utf8" });
    const { status, error, stdout, stderr } = result;
    if (error) throw error;
    // A line of a minified bundle is as long as the bundle.
    console.log(`${stdout}${stderr}`.replace(/^(.{300}).+$/gm, "$1 ..."));
    if (status !== 0) process.exit(1);
  }
}

const [task, project, argument] = process.argv.slice(2);
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (task === "make") {
    bringTools();
    makeProject(project, argument);
  } else run(argument, project);
}
