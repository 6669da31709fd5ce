import { expect, test } from "vitest";
import { run } from "../src/localUpdates.ts";

const sentence = "The old whale swims and the white ship sails away from the wind. ";
const text = sentence.repeat(40);

/** Nats per character for one who knows how often each of them comes. */
function frequencies(): number {
  const counts = new Map<string, number>();
  for (const letter of sentence) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let sum = 0;
  for (const count of counts.values()) sum -= count * Math.log(count / sentence.length);
  return sum / sentence.length;
}

test("ten local updates learn the text, with a tenth of the bytes", async () => {
  const sizes = { hidden: 16, batch: 4, windows: 60, rate: 0.03, seed: 1, text };
  const outer = { learningRate: 0.7, momentum: 0.5 };
  const [sums, local] = [
    await run(2, { ...sizes, updates: 0, outer }),
    await run(2, { ...sizes, updates: 10, outer }),
  ];
  expect(sums.loss).toBeLessThan(frequencies() / 2);
  expect(local.loss).toBeLessThan(frequencies() / 2);
  // Agreement included: sums of gradients need it, too.
  expect(local.bytes).toBeLessThanOrEqual(sums.bytes / 10);
  expect(local.exchanges).toBeLessThan(sums.exchanges / 10);
}, 60_000);
