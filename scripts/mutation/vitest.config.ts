import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const condition = "@chronograd/source";
const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

/**
 * The sources behind a package's entry points in this copy: links in node_modules lead out of it,
 * to sources without mutants.
 */
function entryPoints(name: string) {
  const { exports } = JSON.parse(readFileSync(`${packages}${name}/package.json`, "utf8"));
  return Object.entries<Record<string, string>>(exports).flatMap(([entryPoint, targets]) => {
    const source = targets[condition];
    if (source === undefined) return [];
    return {
      find: new RegExp(`^@chronograd/${name}${entryPoint.slice(1)}$`),
      replacement: `${packages}${name}/${source}`,
    };
  });
}

/**
 * From the quickest test files to the slowest: a mutant's run ends with the first test that notices
 * it.
 */
const slowness = [
  /errors|edges|feed|windows|tests.tape|tests.passes/,
  /./,
  /transforms|stale/,
  /identities/,
  /memory/,
];
class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      slowness.findLastIndex((pattern) => pattern.test(moduleId));
    return [...files].sort((a, b) => rank(a) - rank(b));
  }
}

/** The tests of what is mutated; `npm run stryker` runs them in a copy of the workspace. */
export default defineConfig({
  root: fileURLToPath(new URL("../../", import.meta.url)),
  resolve: { alias: ["autodiff", "nn", "rnn"].flatMap(entryPoints) },
  test: {
    // Below the folder of tests that `npm run stryker` names.
    include: ["{tape,passes,transforms,truncated}/**/*.test.ts", "tensor/lifetimes.test.ts"],
    // These have a million entries or 100,000 steps.
    exclude: ["**/endless.test.ts"],
    sequence: { sequencer: QuickestFirst },
    setupFiles: ["vitest.setup.ts"],
    testTimeout: 60_000,
  },
});
