// Every check of the project, one after another; ends with one line that counts them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const node = process.execPath;
/** The Node that runs npm: the packages must run on it too, whatever the workspace brings for itself. */
const machineNode = process.env.CHRONOGRAD_MACHINE_NODE ?? node;
const scratch = mkdtempSync(join(tmpdir(), "chronograd-test-"));
const bin = (name) => join("node_modules", ".bin", name);
let passed = 0;
let failed = 0;
let skipped = 0;

/** Runs a command; shows what it printed only when it failed. */
function check(what, command, args, options = {}) {
  const started = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...options,
  });
  const ok = status === 0;
  if (ok) passed++;
  else failed++;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${ok ? "ok  " : "FAIL"} ${what} (${seconds} s)`);
  if (!ok) console.log(`${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`);
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
    { stdio: ["ignore", "inherit", "inherit"] },
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
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${what}: ${counts.numPassedTests} tests`);
}

const only = process.argv.slice(2);
if (only.length > 0) {
  vitest("tests", only);
} else {
  check("format, lint and layers", bin("biome"), ["ci", "--colors=off"]);
  check("tests made of the snippets in docs and docstrings", node, ["scripts/snippets.mjs"]);
  check("types of tests, examples and snippets", node, [
    "node_modules/typescript/bin/tsc",
    "-p",
    "tsconfig.tests.json",
  ]);
  // A failing law names the seed it failed with; this one starts them all.
  console.log(`laws with seed ${process.env.CHRONOGRAD_SEED ?? 1} (CHRONOGRAD_SEED)`);
  vitest("tests", []);
  check("the site builds, without a dead link", node, ["scripts/docs.mjs"]);
  for (const name of ["autodiff", "nn", "rnn"]) {
    check(`publint ${name}`, bin("publint"), ["--strict", "--pack", "npm", `packages/${name}`]);
    check(`types of ${name} as a consumer resolves them`, node, [
      "scripts/attw.mjs",
      name,
      scratch,
    ]);
  }
  check("bundles for browsers", node, ["scripts/bundle.mjs"]);
  check(
    `the built packages on Node ${spawnSync(machineNode, ["--version"], { encoding: "utf8" }).stdout.trim()}`,
    machineNode,
    ["scripts/smoke.mjs"],
  );
}

rmSync(scratch, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
