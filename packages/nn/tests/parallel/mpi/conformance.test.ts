import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import {
  isExpected,
  type Launcher,
  launch,
  launchers,
  standardLaunchers,
  testWithMpi,
} from "./launch.ts";

const seed = String(process.env.CHRONOGRAD_SEED ?? 1);
const program = fileURLToPath(new URL("./conform.ts", import.meta.url));

async function conform(launcher: Launcher, ranks: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "chronograd-"));
  try {
    const sizes = ["24", String(2 ** 20)];
    const { left, said } = await launch(launcher, ranks, [program, folder, seed, ...sizes]);
    const faults = Array.from({ length: ranks }, (_, rank): unknown => {
      try {
        return JSON.parse(readFileSync(join(folder, String(rank)), "utf8"));
      } catch {
        return said;
      }
    });
    expect(faults).toEqual(faults.map(() => []));
    expect(left).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.runIf(isExpected)("Open MPI and MPICH are here", () => {
  expect(launchers.map(({ name }) => name)).toEqual(["Open MPI", "MPICH"]);
});

testWithMpi.each(
  launchers.flatMap((each) => [2, 4].map((ranks) => [ranks, each.name, each] as const)),
)("%d ranks conform over %s", (ranks, _name, launcher) => conform(launcher, ranks));

test.skipIf(standardLaunchers.length === 0)(
  "3 ranks conform over the standard ABI of MPI 5.0 (folders in CHRONOGRAD_TESTS_MPI_ABI)",
  async () => {
    for (const launcher of standardLaunchers) await conform(launcher, 3);
  },
);
