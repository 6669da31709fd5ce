import { selfCommunicator } from "@chronograd/nn";
import { runWorkers } from "@chronograd/nn/node";
import { expect, test } from "vitest";
import train from "../src/train.ts";

test("two workers learn what one does", async () => {
  const module = new URL("../src/train.ts", import.meta.url);
  const input = { batch: 16, windows: 100 };
  const [first, second] = await runWorkers<number>(module, { workers: 2, input });
  expect(second).toBe(first);
  // In float32, sums in another order differ a little, and more with every update.
  expect(first).toBeCloseTo(train(selfCommunicator, input), 3);
  expect(first).toBeLessThan(train(selfCommunicator, { ...input, windows: 1 }));
}, 120_000);
