// Mutates tape, passes and truncated (or the folders named), runs their tests against every mutant,
// and writes verification/results/stryker.json; the reports are in reports/stryker/.
// `--incremental` reuses the last run's verdicts where neither mutant nor tests have changed.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Stryker } from "@stryker-mutator/core";

/**
 * What is mutated, and which tests must notice: those of the same package. Stryker's `testFiles` is
 * not used: with it, mutants of code that runs when a module loads are never activated.
 */
const folders = {
  truncated: { mutate: ["packages/rnn/src/truncated/**/*.ts"], tests: "packages/rnn/tests" },
  tape: {
    mutate: ["packages/autodiff/src/tape/**/*.ts", "packages/autodiff/src/tape.ts"],
    tests: "packages/autodiff/tests",
  },
  passes: { mutate: ["packages/autodiff/src/passes/**/*.ts"], tests: "packages/autodiff/tests" },
};
const args = process.argv.slice(2);
const incremental = args.includes("--incremental");
const named = args.filter((arg) => arg !== "--incremental");
for (const name of named) {
  if (name in folders) continue;
  console.error(`stryker: expected some of ${Object.keys(folders).join(", ")}, got ${name}`);
  process.exit(2);
}

const summary = "verification/results/stryker.json";
const version = (name) => createRequire(import.meta.url)(`${name}/package.json`).version;

function read() {
  try {
    return JSON.parse(readFileSync(summary, "utf8")).folders;
  } catch {
    return {};
  }
}

/** Counts of a run's verdicts, and the share of the valid mutants that some test noticed. */
function count(mutants) {
  const of = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const killed = of("Killed");
  const timeout = of("Timeout");
  const survived = of("Survived");
  const noCoverage = of("NoCoverage");
  const score = (100 * (killed + timeout)) / (killed + timeout + survived + noCoverage);
  return {
    score: Number(score.toFixed(1)),
    killed,
    timeout,
    survived,
    noCoverage,
    invalid: of("CompileError", "RuntimeError"),
    ignored: of("Ignored"),
  };
}

/** Where a surviving mutant is, and what it changed. */
function place({ fileName, location, mutatorName, replacement }) {
  const { line, column } = location.start;
  return `${fileName}:${line}:${column} ${mutatorName}: ${replacement.replace(/\s+/g, " ").slice(0, 80)}`;
}

let failed = false;
for (const name of named.length > 0 ? named : Object.keys(folders)) {
  const reports = `reports/stryker/${name}`;
  const mutants = await new Stryker({
    configFile: "stryker.config.mjs",
    mutate: folders[name].mutate,
    vitest: {
      configFile: "scripts/mutation/vitest.config.ts",
      related: false,
      dir: folders[name].tests,
    },
    incremental,
    incrementalFile: `${reports}/incremental.json`,
    jsonReporter: { fileName: `${reports}/mutation.json` },
    htmlReporter: { fileName: `${reports}/index.html` },
  }).runMutationTest();
  const root = new URL("../", import.meta.url).pathname;
  for (const mutant of mutants) mutant.fileName = mutant.fileName.replace(root, "");
  const result = count(mutants);
  const left = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
  for (const mutant of left) console.log(`${mutant.status} ${place(mutant)}`);
  console.log(`${name}: ${result.score} % of the mutants are noticed`);
  if (!(result.score >= 85)) failed = true;
  const results = { ...read(), [name]: { date: new Date().toISOString().slice(0, 10), ...result } };
  mkdirSync("verification/results", { recursive: true });
  const versions = {
    node: process.version,
    stryker: version("@stryker-mutator/core"),
    vitest: version("vitest"),
  };
  const text = JSON.stringify({ command: "npm run stryker", versions, folders: results }, null, 2);
  writeFileSync(summary, `${text}\n`);
}
process.exitCode = failed ? 1 : 0;
