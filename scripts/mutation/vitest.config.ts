import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

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
      "packages/autodiff/tests/{tape,passes,transforms,tensor}/**/*.test.ts",
      "packages/rnn/tests/**/*.test.ts",
    ],
    // Streams of 100,000 steps.
    exclude: ["packages/rnn/tests/truncated/endless.test.ts"],
    testTimeout: 60_000,
  },
});
