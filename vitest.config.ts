import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const condition = "@chronograd/source";

/** The files that take longest; of the others each takes less than a hundredth of the whole. */
const longest = [
  "autodiff/tests/ops/laws.test.ts",
  "verification/tests/suite.test.ts",
  "rnn/tests/loop/equality.test.ts",
  "rnn/tests/killed/killed.test.ts",
  "nn/tests/parallel/mpi/failing.test.ts",
  "nn/tests/parallel/mpi/conformance.test.ts",
  "cli/tests/train/mpi.test.ts",
  "rnn/tests/mpi/mpi.test.ts",
  "rnn/tests/loop/memory.test.ts",
  "autodiff/tests/kernels/normalization.test.ts",
  "rnn/tests/testing/truncatedMarks.test.ts",
  "rnn/tests/testing/truncated.test.ts",
  "rnn/tests/truncated/workers.test.ts",
  "rnn/tests/firstClass.test.ts",
  "autodiff/tests/kernels/set.test.ts",
  "rnn/tests/models/noise.test.ts",
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
    include: [
      "{packages,examples}/*/tests/**/*.test.ts",
      "verification/tests/**/*.test.ts",
      "bench/{,tasks/}tests/**/*.test.ts",
      ".snippets/*.test.ts",
    ],
    sequence: { sequencer: LongestFirst },
    // By itself vitest keeps one core for a user who watches: on two cores, half of the machine.
    maxWorkers: "100%",
    setupFiles: ["vitest.setup.ts"],
    testTimeout: 60_000,
  },
});
