import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfCommunicator } from "@chronograd/nn";
import { expect } from "vitest";
import { launch, launchers, testWithMpi } from "../../../packages/nn/tests/parallel/mpi/launch.ts";
import { type Learnt, learn } from "./ranks.ts";

/** The largest difference, relative to the larger of the two numbers. */
const far = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i]!) / Math.max(Math.abs(x), Math.abs(b[i]!))));

testWithMpi("every example trains on two ranks as alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "chronograd-"));
  try {
    const file = join(folder, "learnt.json");
    const program = join(import.meta.dirname, "ranks.ts");
    const [{ code, said, left }, alone] = await Promise.all([
      launch(launchers[0]!, 2, [program, file]),
      learn(selfCommunicator),
    ]);
    expect([code, left], said).toEqual([0, []]);
    const found = JSON.parse(readFileSync(file, "utf8")) as Record<string, Learnt>;
    expect(Object.keys(found)).toEqual(Object.keys(alone));
    for (const [name, { losses, params, shares }] of Object.entries(found)) {
      const [own, theirs] = params as [number[], number[]];
      expect(own.length, name).toBeGreaterThan(0);
      // Replicas have the same bits, whatever each has drawn for its rows.
      expect(theirs, name).toEqual(own);
      // Of an odd number of rows the first rank has less than half.
      if (name !== "language") expect(Math.max(...shares), name).toBeLessThan(0.5);
      const one = alone[name]!;
      expect(losses.length, name).toBe(one.losses.length);
      const isNoisy = name === "music with dropout";
      // A few roundings of float32, and later those of the updates before.
      expect(far(losses.slice(0, 1), one.losses), name).toBeLessThan(isNoisy ? 0.1 : 5e-7);
      if (!isNoisy) expect(far(losses, one.losses), name).toBeLessThan(1e-5);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

testWithMpi("what is asked of an example in a wrong way is said once", async () => {
  const main = join(import.meta.dirname, "../../video/src/main.ts");
  const { said, code } = await launch(launchers[1]!, 2, [main, "--rows", "1"]);
  expect(said.match(/^video: .*/gm)).toMatchInlineSnapshot(`
    [
      "video: --rows: batches of 1 give 2 ranks less than a row each; start fewer ranks, or take larger batches",
    ]
  `);
  expect(code).toBe(2);
});
