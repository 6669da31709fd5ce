import { runWorkers } from "@chronograd/nn/node";
import { expect, test } from "vitest";
import { distance, modes, type Numbers } from "../truncated/setup.ts";
import { type Given, windowsOf } from "./workers.ts";

const module = new URL("./workers.ts", import.meta.url);

test("workers that share a ragged batch have the windows of one, means over all real tokens", async () => {
  const given: Given[] = modes.flatMap((stale) =>
    [false, true].flatMap((compile) =>
      (["sum", "mean"] as const).flatMap((reduction) =>
        [1, 2, 3].map((seed) => ({ seed, stale, compile, reduction })),
      ),
    ),
  );
  const found = await runWorkers<Numbers[][], Given[]>(module, { workers: 2, input: given });
  for (const [i, each] of given.entries()) {
    const expected = windowsOf(each);
    for (const ofRank of found) {
      expect(ofRank[i]!.length).toBe(expected.length);
      for (const [j, window] of expected.entries()) {
        expect(distance(ofRank[i]![j]!, window)).toBeLessThan(1e-12);
      }
    }
  }
});
