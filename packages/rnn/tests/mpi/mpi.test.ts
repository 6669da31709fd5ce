import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selfCommunicator } from "@chronograd/nn";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { launch, launchers, testWithMpi } from "../../../nn/tests/parallel/mpi/launch.ts";
import { distance } from "../truncated/setup.ts";
import { program, type Said, settings } from "./program.ts";

const path = fileURLToPath(new URL("./program.ts", import.meta.url));
const [shared, alone] = ["", ""].map(() => mkdtempSync(join(tmpdir(), "chronograd-"))) as [
  string,
  string,
];
afterAll(() => {
  for (const folder of [shared, alone]) rmSync(folder, { recursive: true });
});

/** As `JSON` gives it back. */
const plain = (said: Said) => JSON.parse(JSON.stringify(said)) as Said;

/** What every rank saw. */
async function said(launcher: (typeof launchers)[number], ranks: number, to: number) {
  const ended = await launch(launcher, ranks, [path, shared, String(to)]);
  expect(ended.code, ended.said).toBe(0);
  expect(ended.left).toEqual([]);
  return Array.from({ length: ranks }, (_, rank) => {
    return JSON.parse(readFileSync(join(shared, `said-${ranks}-${rank}`), "utf8")) as Said;
  });
}

describe("under mpiexec", () => {
  let [four, two]: Said[][] = [];
  let first: Said;
  let second: Said;

  beforeAll(async () => {
    if (launchers.length < 2) return;
    // The same files: two ranks go on where four stopped.
    four = await said(launchers[0]!, 4, 4);
    two = await said(launchers[1]!, 2, 9);
    first = plain(await program(selfCommunicator, alone, 4));
    rmSync(join(alone, "run-0"));
    second = plain(await program(selfCommunicator, alone, 9));
  }, 120_000);

  testWithMpi.each([
    [4, "Open MPI", () => four!],
    [2, "MPICH", () => two!],
  ] as const)("%d ranks of %s train as one does on all rows, to 1e-12", (ranks, _name, ofRanks) => {
    expect(ofRanks().length).toBe(ranks);
    for (const { settings: found, loop } of ofRanks()) {
      for (const [i, { windows, params }] of found.entries()) {
        const expected = first.settings[i]!;
        expect(windows.length, JSON.stringify(settings[i])).toBe(expected.windows.length);
        for (const [j, { gradients, totals, spans }] of windows.entries()) {
          const one = expected.windows[j]!;
          expect(spans).toEqual(one.spans);
          expect(distance(totals, one.totals)).toBeLessThan(1e-12);
          expect(distance(gradients, one.gradients)).toBeLessThan(1e-12);
        }
        expect(distance(params, expected.params)).toBeLessThan(1e-12);
      }
      expect(loop.loss).toBeCloseTo(first.loop.loss, 12);
      expect(distance(loop.gradients, first.loop.gradients)).toBeLessThan(1e-12);
    }
  });

  testWithMpi("a run of four ranks goes on with two, and is the run of one", () => {
    for (const [i, { losses, params }] of second.parts.entries()) {
      for (const { parts } of two!) {
        const found = parts[i]!;
        expect(found.losses.length).toBe(losses.length);
        expect(distance({ losses: [...found.losses] }, { losses: [...losses] })).toBeLessThan(
          1e-12,
        );
        expect(distance(found.params, params)).toBeLessThan(1e-12);
      }
    }
  });

  testWithMpi("with shards, two and four ranks have the bits of one", () => {
    for (const ranks of [four!, two!]) expect(ranks[0]!.shards).toEqual(first.shards);
  });

  testWithMpi("all ranks hold the same bits", () => {
    for (const ranks of [four!, two!]) for (const other of ranks) expect(other).toEqual(ranks[0]);
  });
});
