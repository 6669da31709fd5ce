// A dry run of publishing: packs every package as `pnpm publish` would, into a folder, and checks
// what would be published.
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../", import.meta.url));
const [folder] = process.argv.slice(2);
const windows = process.platform === "win32";
const faults = [];

const run = promisify(execFile);

async function must(command, args, cwd = root) {
  try {
    return (await run(command, args, { cwd, shell: windows, maxBuffer: 1 << 28 })).stdout;
  } catch ({ message, stdout, stderr }) {
    throw new Error(`pack: ${command} ${args.join(" ")}: ${message}\n${stdout}${stderr}`);
  }
}

/** Every string in a tree of conditions. */
function targets(value) {
  return typeof value === "string" ? [value] : Object.values(value ?? {}).flatMap(targets);
}

/** Modules that a program imports or re-exports, without those of types only. */
const imports = /^(?:import|export)\b(?! type)(?:[^"]* from)?\s*"(\.[^"]+)"/gm;

/** The modules of a package that one of them imports, itself included; `text` reads a file. */
function modulesFrom(path, text, found = []) {
  if (found.includes(path)) return found;
  found.push(path);
  for (const [, name] of text(path).matchAll(imports)) {
    modulesFrom(posix.join(posix.dirname(path), name), text, found);
  }
  return found;
}

/**
 * What may be published: the manifest, its page, the licence, what was compiled, and its sources.
 */
const expected =
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|dist\/.+\.(js|d\.ts)(\.map)?|src\/.+(?<!\.test)\.ts)$/;

/** What is wrong with an unpacked package, one sentence each. */
function faultsOf(unpacked) {
  const files = readdirSync(unpacked, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(unpacked.length + 1))
    .map((path) => path.replaceAll("\\", "/"));
  const has = new Set(files);
  const text = (path) => readFileSync(join(unpacked, path), "utf8");
  const manifest = JSON.parse(text("package.json"));
  const found = [];
  const require = (holds, sentence) => holds || found.push(sentence);

  for (const path of files) require(expected.test(path), `${path} should not be published`);
  for (const path of ["README.md", "LICENSE"]) require(has.has(path), `there is no ${path}`);
  for (const name of ["description", "keywords", "license", "engines"]) {
    require(manifest[name], `package.json has no ${name}`);
  }
  require(manifest.publishConfig?.access === "public", "a package must be published as public");
  const entryPoints = targets(manifest.exports);
  for (const path of [
    ...entryPoints,
    ...targets(manifest.imports),
    ...(manifest.sideEffects || []),
    ...targets(manifest.bin),
  ]) {
    require(has.has(posix.normalize(path)), `package.json names ${path}, which is not there`);
  }
  for (const [name, range] of Object.entries(manifest.dependencies)) {
    require(/^\d+\.\d+\.\d+$/.test(range), `the dependency ${name} is ${range}, not a version`);
  }

  // Tensors have methods when bundlers know that the module that makes them does something, and
  // each entry point that imports it.
  const fluent = ["dist/ops/fluent.js", "src/ops/fluent.ts"];
  for (const entryPoint of entryPoints.filter((path) => /(?<!\.d)\.[jt]s$/.test(path))) {
    const reached = modulesFrom(posix.normalize(entryPoint), text);
    if (!reached.some((path) => /^(dist|src)\/tensor\/tensor\.[jt]s$/.test(path))) continue;
    require(reached.some((path) =>
      fluent.includes(path),
    ), `${entryPoint} does not import ops/fluent`);
    require(manifest.sideEffects.includes(entryPoint), `sideEffects does not name ${entryPoint}`);
  }
  const named = (manifest.sideEffects || []).map((path) => posix.normalize(path));
  for (const path of fluent.filter((path) => has.has(path))) {
    require(named.includes(path), `sideEffects does not name ${path}`);
  }

  for (const path of files) {
    const [, base] = /^dist\/(.+)\.js$/.exec(path) ?? /^src\/(.+)\.ts$/.exec(path) ?? [];
    if (base === undefined) continue;
    require(has.has(
      `src/${base}.ts`,
    ), `${path} has no source: it was compiled from a file that is gone`);
    require(has.has(`dist/${base}.js`), `${path} was not compiled`);
    require(has.has(`dist/${base}.d.ts`), `${path} has no declarations`);
  }
  for (const path of files.filter((path) => path.startsWith("dist/"))) {
    if (path.endsWith(".map")) {
      for (const source of JSON.parse(text(path)).sources) {
        const target = posix.join(posix.dirname(path), source);
        require(has.has(target), `${path} points to ${target}, which is not there`);
      }
    } else {
      const map = /sourceMappingURL=(.+)$/m.exec(text(path))?.[1];
      require(map && has.has(posix.join(posix.dirname(path), map)), `${path} has no map`);
    }
  }
  return found;
}

mkdirSync(folder, { recursive: true });
const packing = ["-r", "--filter", "./packages/*", "pack", "--json", "--pack-destination", folder];
const packed = JSON.parse(await must("npx", ["-y", "pnpm@12.21.0", ...packing]));
await Promise.all(
  packed.map(async ({ filename }) => {
    const name = basename(filename, ".tgz");
    const unpacked = join(folder, name);
    mkdirSync(unpacked, { recursive: true });
    await must("tar", ["-xzf", filename, "--strip-components=1", "-C", unpacked]);
    faults.push(...faultsOf(unpacked).map((fault) => `${name}: ${fault}`));
    console.log(
      await must("npm", ["publish", "--dry-run", "--access", "public", filename], folder),
    );
  }),
);
for (const fault of faults) console.error(`pack: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
