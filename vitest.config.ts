import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const condition = "@chronograd/source";

const everything = [
  "{packages,examples}/*/tests/**/*.test.ts",
  "verification/tests/**/*.test.ts",
  "bench/{,tasks/}tests/**/*.test.ts",
  ".snippets/*.test.ts",
];

/** Files whose tests bound seconds, or start ranks that look for messages without a pause. */
const alone = [
  "packages/autodiff/tests/threads/{kills,process}.test.ts",
  "packages/*/tests/**/{mpi/*,mpi}.test.ts",
  "examples/parallel/tests/ranks.test.ts",
];

/** The files that take longest; of the others each takes less than a hundredth of the whole. */
const longest = [
  "autodiff/tests/ops/laws.test.ts",
  "verification/tests/suite.test.ts",
  "rnn/tests/killed/killed.test.ts",
  "rnn/tests/loop/equality.test.ts",
  "rnn/tests/sharding/unroll.test.ts",
  "rnn/tests/testing/truncatedMarks.test.ts",
  "rnn/tests/testing/truncated.test.ts",
  "rnn/tests/firstClass.test.ts",
  "rnn/tests/models/noise.test.ts",
  "autodiff/tests/kernels/elementwise.test.ts",
  "rnn/tests/truncated/workers.test.ts",
  "nn/tests/parallel/transports.test.ts",
  "rnn/tests/loop/memory.test.ts",
  "autodiff/tests/kernels/matmul.test.ts",
  "rnn/tests/loop/lifetimes.test.ts",
  "autodiff/tests/kernels/set.test.ts",
  "rnn/tests/killed/sequences.test.ts",
  "rnn/tests/cells.test.ts",
  ".snippets/docs.test.ts",
];

/** Starts the longest files first, so that no core waits for one of them at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const i = longest.findIndex((path) => moduleId.endsWith(path));
      return i < 0 ? longest.length : i;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  resolve: { conditions: [condition] },
  ssr: { resolve: { conditions: [condition], externalConditions: [condition] } },
  test: {
    sequence: { sequencer: LongestFirst },
    setupFiles: ["vitest.setup.ts"],
    testTimeout: 60_000,
    // By itself vitest keeps one core for a user who watches: on two cores, half of the machine.
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: everything,
          exclude: [...configDefaults.exclude, ...alone],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
