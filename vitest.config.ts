import { defineConfig } from "vitest/config";

const condition = "@chronograd/source";

export default defineConfig({
  resolve: { conditions: [condition] },
  ssr: { resolve: { conditions: [condition], externalConditions: [condition] } },
  test: {
    include: [
      "{packages,examples}/*/tests/**/*.test.ts",
      "verification/tests/**/*.test.ts",
      ".snippets/*.test.ts",
    ],
    testTimeout: 60_000,
  },
});
