// The mutation run over tape, passes and truncated: `npm run stryker`, or
// `npm run stryker -- truncated` for one.

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  coverageAnalysis: "perTest",
  // The machine may be busy, and a time limit is the only sign of an endless loop.
  concurrency: 1,
  timeoutMS: 20_000,
  // Every mutator is on. Error texts count as behaviour here (their tests are snapshots), so string
  // literals do too.
  mutator: { excludedMutations: [] },
  // Code that runs when a module loads is mutated as well: it is little, and it is constants that
  // matter.
  ignoreStatic: false,
  // Nothing reads a tsconfig here, and Stryker would rewrite it with the compiler's old API, which
  // TypeScript 7 has not.
  tsconfigFile: "none",
  disableTypeChecks: false,
  ignorePatterns: ["dist", "runs", "docs", "reports", "coverage", ".snippets"],
  tempDirName: "reports/stryker/copy",
  reporters: ["progress-append-only", "clear-text", "json", "html"],
  clearTextReporter: {
    allowColor: false,
    logTests: false,
    reportTests: false,
    reportMutants: false,
  },
  thresholds: { high: 95, low: 85, break: null },
};
