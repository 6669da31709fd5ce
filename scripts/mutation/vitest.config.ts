import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

/** From the quickest test files to the slowest: a mutant's run ends with the first test that notices it. */
const slowness = [
  /errors|edges|feed|windows|tests.tape|tests.passes/,
  /./,
  /transforms|cells|stale/,
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
  resolve: {
    // Links in node_modules lead out of the copy, to sources without mutants.
    alias: [
      { find: /^@chronograd\/(\w+)$/, replacement: `${packages}$1/src/index.ts` },
      { find: /^@chronograd\/(\w+)\/(\w+)$/, replacement: `${packages}$1/src/$2.ts` },
    ],
  },
  test: {
    include: [
      "packages/autodiff/tests/{tape,passes,transforms}/**/*.test.ts",
      "packages/autodiff/tests/tensor/lifetimes.test.ts",
      "packages/rnn/tests/**/*.test.ts",
    ],
    // A million entries, 100,000 steps.
    exclude: ["**/endless.test.ts"],
    sequence: { sequencer: QuickestFirst },
    testTimeout: 60_000,
  },
});
