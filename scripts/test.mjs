// Every check of the project; ends with one line that counts them.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, consumers, missing } from "./consumers.mjs";

const node = process.execPath;
const scratch = mkdtempSync(join(tmpdir(), "chronograd-test-"));
const bin = (name) => join("node_modules", ".bin", name);
let passed = 0;
let failed = 0;
let skipped = 0;

/** Runs a command; shows what it printed only when it failed. */
async function check(what, command, args) {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
  }
  const ok = await new Promise((resolve) => {
    child.once("error", (error) => {
      said += error.message;
      resolve(false);
    });
    child.once("close", (code) => resolve(code === 0));
  });
  if (ok) passed++;
  else failed++;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${ok ? "ok  " : "FAIL"} ${what} (${seconds} s)`);
  if (!ok) console.log(said);
}

/** Runs vitest, which reports as it goes, and adds up its tests. */
function vitest(what, args) {
  const file = join(scratch, `${what.replaceAll(" ", "-")}.json`);
  const { status } = spawnSync(
    node,
    [
      "node_modules/vitest/vitest.mjs",
      "run",
      "--reporter=dot",
      "--reporter=json",
      `--outputFile.json=${file}`,
      ...args,
    ],
    {
      stdio: ["ignore", "inherit", "inherit"],
      // Tests start hundreds of processes and threads, which strip and compile the same sources:
      // Node keeps what the first one compiled for the others.
      env: { ...process.env, NODE_COMPILE_CACHE: join(scratch, "compiled") },
    },
  );
  let counts;
  try {
    counts = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    failed++;
    console.log(`FAIL ${what}: vitest wrote no results`);
    return;
  }
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  skipped += counts.numPendingTests;
  // A file that does not load has no tests to fail.
  if (status !== 0 && counts.numFailedTests === 0) failed++;
  const total = counts.numPassedTests + counts.numFailedTests;
  console.log(
    `${status === 0 ? "ok  " : "FAIL"} ${what}: ${counts.numPassedTests} of ${total} passed`,
  );
}

/** Trains with the packages on one platform, or says why that cannot be. */
async function consume(name, project) {
  const why = missing(name);
  if (why === undefined) return check(name, node, ["scripts/consumers.mjs", "run", project, name]);
  skipped++;
  console.log(`skip ${name}: ${why}`);
}

/**
 * Packs the packages as they would be published, checks them, and trains with them on every
 * platform: one check on each core, of which one is free when `busy` ends.
 */
async function checkPackages(busy = Promise.resolve()) {
  const packed = join(scratch, "packed");
  const project = join(scratch, "project");
  await check("what would be published", node, ["scripts/pack.mjs", packed]);
  await check("an empty project with the packages", node, [
    "scripts/consumers.mjs",
    "make",
    project,
    packed,
  ]);
  const over = new Map();
  const consuming = Object.keys(consumers).map((name) => () => {
    // It has begun before, so that it cannot wait for this one.
    const ended = Promise.resolve(over.get(after[name])).then(() => consume(name, project));
    over.set(name, ended);
    return ended;
  });
  const looking = ["autodiff", "nn", "rnn", "cli"].flatMap((name) => {
    const manifest = JSON.parse(readFileSync(`packages/${name}/package.json`, "utf8"));
    const file = manifest.name.replace("@", "").replace("/", "-");
    const tarball = join(packed, `${file}-${manifest.version}.tgz`);
    return [
      () => check(`publint ${name}`, bin("publint"), ["run", "--strict", tarball]),
      () => {
        const args = [tarball, "--profile", "esm-only"];
        return check(`types of ${name} as a consumer resolves them`, bin("attw"), args);
      },
    ];
  });
  const sizes = () => check("sizes", node, ["scripts/sizes.mjs"]);
  const queue = [...consuming, ...looking, sizes].values();
  const work = async () => {
    for (const task of queue) await task();
  };
  const others = Array.from({ length: availableParallelism() - 1 }, work);
  await Promise.all([...others, busy.then(work)]);
}

async function writeSnippets() {
  await check("tests made of the snippets in docs and docstrings", node, ["scripts/snippets.mjs"]);
}

const only = process.argv.slice(2);
if (only[0] === "--packages") {
  await checkPackages();
} else if (only.length > 0) {
  if (only.some((part) => part.includes("snippets"))) await writeSnippets();
  vitest("tests", only);
} else {
  await check("format, lint and layers", bin("biome"), ["ci", "--colors=off"]);
  await check("prose in code within 100 columns", node, ["scripts/prose.mjs"]);
  await writeSnippets();
  await check("types of tests, examples and snippets", node, [
    "node_modules/typescript/bin/tsc",
    "-p",
    "tsconfig.tests.json",
  ]);
  // A failing law names the seed it failed with; all seeds are drawn from this one.
  console.log(`laws with seed ${process.env.CHRONOGRAD_SEED ?? 1} (CHRONOGRAD_SEED)`);
  vitest("tests", []);
  // It writes nothing that the packages are made of.
  await checkPackages(check("the site builds, without a dead link", node, ["scripts/docs.mjs"]));
}

rmSync(scratch, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
