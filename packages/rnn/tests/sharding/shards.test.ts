import { selfCommunicator } from "@chronograd/nn";
import { runWorkers } from "@chronograd/nn/node";
import { describe, expect, test } from "vitest";
import { distance, modes } from "../truncated/setup.ts";
import { type Given, type Setting, train } from "../truncated/workers.ts";

const module = new URL("../truncated/workers.ts", import.meta.url);

/**
 * Every mode, with steps as they are and as plans, all losses and both reductions; a short tail.
 */
const settings: Setting[] = modes.flatMap((stale) =>
  [false, true].flatMap((compile) =>
    (["new", "endpoint", "window"] as const).map((losses, i) => ({
      name: (["elman", "lstm", "gru"] as const)[i]!,
      T: 13,
      B: 8,
      seed: i + 1,
      options: { k1: 2, k2: 4, stale, compile, losses, reduction: i === 1 ? "sum" : "mean" },
      masked: i === 2 && !compile,
      measured: losses === "new",
    })),
  ),
);

const withOptions = (more: Partial<Setting["options"]>) =>
  settings.map((setting) => ({ ...setting, options: { ...setting.options, ...more } }));

/** What must have the same bits: all but the rows that a worker has. */
function bits({ windows, params }: ReturnType<typeof train>) {
  const spans = windows.map(({ gradients, totals: { losses, loss }, spans }) => {
    return { gradients, losses, loss, spans };
  });
  return { spans, params };
}

describe("shards", () => {
  const four = withOptions({ shards: 4, threads: 1 }).map((one) => train(selfCommunicator, one));

  test("give what all rows at once give, to 1e-12, in every mode", () => {
    for (const [i, setting] of withOptions({ threads: 1 }).entries()) {
      const whole = train(selfCommunicator, setting);
      expect(distance(four[i]!.params, whole.params)).toBeLessThan(1e-12);
      for (const [j, window] of four[i]!.windows.entries()) {
        expect(distance(window.totals, whole.windows[j]!.totals)).toBeLessThan(1e-12);
        expect(distance(window.gradients, whole.windows[j]!.gradients)).toBeLessThan(1e-12);
      }
    }
  });

  test.each([2, 3, 4])("have the same bits on %d threads", (threads) => {
    for (const [i, setting] of withOptions({ shards: 4, threads }).entries()) {
      expect(bits(train(selfCommunicator, setting))).toStrictEqual(bits(four[i]!));
    }
  });

  test.each([2, 4])("have the same bits on %d ranks", async (workers) => {
    const input: Given = { settings: withOptions({ shards: 4 }) };
    const ranks = await runWorkers<ReturnType<typeof train>[], Given>(module, { workers, input });
    for (const rank of ranks) {
      for (const [i, trained] of rank.entries()) {
        expect(bits(trained)).toStrictEqual(bits(four[i]!));
      }
    }
  });

  test("are as many as threads, where nothing is said: the bits repeat", () => {
    for (const [i, setting] of withOptions({ threads: 4 }).entries()) {
      if (setting.options.compile !== true || setting.options.stale === "recompute") continue;
      expect(bits(train(selfCommunicator, setting))).toStrictEqual(bits(four[i]!));
    }
  });
});
