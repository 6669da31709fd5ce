import { selfCommunicator } from "@chronograd/nn";
import { runWorkers } from "@chronograd/nn/node";
import { describe, expect, test } from "vitest";
import { distance, modes } from "./setup.ts";
import { type Given, type Setting, train } from "./workers.ts";

const module = new URL("./workers.ts", import.meta.url);
type Trained = ReturnType<typeof train>;
type Failed = { name: string; message: string; cause: string };

const run = <Output>(workers: number, input: Given) =>
  runWorkers<Output[], Given>(module, { workers, input });

/** Every mode, with steps as they are and as plans, all losses and both reductions. */
const settings: Setting[] = modes.flatMap((stale) =>
  [false, true].flatMap((compile) =>
    (["sum", "mean"] as const).flatMap((reduction) =>
      (["new", "endpoint", "window"] as const).map((losses, i) => ({
        name: (["elman", "lstm", "gru"] as const)[i]!,
        T: 29,
        B: 7,
        seed: i + 1,
        options: { k1: 2, k2: 4, stale, compile, reduction, losses },
        masked: reduction === "mean" && !compile,
        measured: losses === "new",
      })),
    ),
  ),
);

describe.each([2, 3])("%d workers", (workers) => {
  test("train as one does on all rows, to 1e-12, whatever the mode", async () => {
    const found = await run<Trained>(workers, { settings });
    for (const [i, setting] of settings.entries()) {
      const expected = train(selfCommunicator, setting);
      for (const [rank, ofRank] of found.entries()) {
        const { windows, params } = ofRank[i]!;
        expect(windows.length).toBe(expected.windows.length);
        for (const [j, window] of windows.entries()) {
          const one = expected.windows[j]!;
          expect(window.spans).toEqual(one.spans);
          expect(distance(window.totals, one.totals)).toBeLessThan(1e-12);
          expect(distance(window.gradients, one.gradients)).toBeLessThan(1e-12);
          const [start, end] = [0, 1].map((more) => Math.floor(((rank + more) * 7) / workers));
          expect(new Set(window.rows)).toEqual(new Set([end! - start!]));
        }
        expect(distance(params, expected.params)).toBeLessThan(1e-12);
      }
    }
  });

  test("may have windows without a token of their own", async () => {
    const carried = settings.filter(({ masked, options }) => masked && options.stale === "carry");
    const found = await run<Trained>(workers, { settings: carried });
    const idle = found.flat().flatMap(({ counts }) => {
      return counts.filter((count, i) => i % 2 === 1 && count === 0 && counts[i - 1] === 0);
    });
    expect(idle.length).toBeGreaterThan(0);
  });

  test("hold the same bits, and repeat them", async () => {
    const some = settings.filter((_, i) => i % 5 === 0);
    const totals = (list: Trained[][]) =>
      list.map((one) =>
        one.map(({ windows, params }) => [
          windows.map(({ gradients, totals }) => [gradients, totals]),
          params,
        ]),
      );
    const first = totals(await run<Trained>(workers, { settings: some }));
    const again = totals(await run<Trained>(workers, { settings: some }));
    for (const other of first) expect(other).toStrictEqual(first[0]);
    expect(again).toStrictEqual(first);
  });
});

describe("what fails on one worker fails on all", () => {
  const each = modes.flatMap((stale) =>
    [false, true].map((compile): Setting => {
      const options = { k1: 2, k2: 4, stale, compile };
      return { name: "gru", T: 12, B: 4, seed: 1, options };
    }),
  );

  test("a NaN: its step, op and worker", async () => {
    const [first, second] = await run<Failed>(2, { settings: each, bug: "NaN" });
    const some = (text: string) => text.replaceAll(/entry \d+|\d\.\d+/g, "N");
    for (const [i, { name, message, cause }] of second!.entries()) {
      expect(name).toBe("WorkerError");
      expect(first![i]!.message).toBe(message);
      expect(cause).toBe(`RangeError: ${message.replace("worker 1 of 2: ", "")}`);
    }
    expect(new Set(second!.map(({ message }) => some(message)))).toMatchInlineSnapshot(`
      Set {
        "worker 1 of 2: truncated: the loss of step 7 is NaN; forward: the constant a holds NaN at [0,0]: matmul [2,2] [2,9] -> [2,9] (N), time step 7; the constant a is NaN there; "W" is at most N in size, at [0,1]; lower the learning rate, clip gradients, or look at the input of that step",
      }
    `);
  });

  test("an error of its stream", async () => {
    for (const failed of await run<Failed>(2, { settings: each, bug: "throws" })) {
      for (const { message } of failed) {
        expect(message).toBe("worker 1 of 2: the file is torn");
      }
    }
  });

  test.each([
    ["sweep throws", "the gradient is torn"],
    ["measure throws", "the measure is torn"],
  ] as const)("a window whose %s", async (bug, what) => {
    const [first, second] = await run<Failed>(2, { settings: each, bug });
    for (const [i, { name, message, cause }] of second!.entries()) {
      expect(name).toBe("WorkerError");
      expect(message).toMatch(new RegExp(`^worker 1 of 2: .*${what}`));
      expect(first![i]).toMatchObject({ name, message });
      expect(cause).toMatch(what);
    }
  });

  test("a measure that differs", async () => {
    const [first, second] = await run<Failed>(2, { settings: each, bug: "measure differs" });
    expect(second).toEqual(first);
    expect(new Set(first!.map(({ message }) => message))).toMatchInlineSnapshot(`
      Set {
        "truncated: measure must choose the same windows on all workers, got false on worker 0 of 2 and true on worker 1 for window 0; let it depend on the window's index alone",
      }
    `);
  });

  test("a stream that is shorter", async () => {
    const [first, second] = await run<Failed>(2, { settings: each, bug: "shorter" });
    expect(second).toEqual(first);
    expect(new Set(first!.map(({ message }) => message))).toMatchInlineSnapshot(`
      Set {
        "truncated: the streams of all workers must have the same number of steps, got 2 on worker 0 of 2 and none on worker 1 for window 3; cut them to the shortest",
        "truncated: the streams of all workers must have the same number of steps, got 12 on worker 0 of 2 and 6 on worker 1 for window 0; cut them to the shortest",
      }
    `);
  });
});
