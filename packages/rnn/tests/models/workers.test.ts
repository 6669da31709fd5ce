import { runWorkers } from "@chronograd/nn/node";
import { expect, test } from "vitest";
import { distance, type Numbers, total } from "../truncated/setup.ts";
import { noisyCells } from "./noisy.ts";
import { type Given, windowsOf } from "./workers.ts";

const module = new URL("./workers.ts", import.meta.url);

test("workers with a generator each add up what each of them has alone", async () => {
  const given: Given[] = Object.keys(noisyCells).flatMap((name) =>
    [false, true].map((compile) => ({ name, compile })),
  );
  const found = await runWorkers<Numbers[][], Given[]>(module, { workers: 2, input: given });
  for (const [i, each] of given.entries()) {
    const alone = [0, 1].map((rank) => windowsOf(each, { rank, size: 2 }));
    for (const ofRank of found) {
      expect(ofRank[i]!.length).toBe(5);
      for (const [j, window] of ofRank[i]!.entries()) {
        const expected = total(alone.map((windows) => windows[j]!));
        expect(distance(window, expected)).toBeLessThan(1e-12);
      }
    }
  }
});
