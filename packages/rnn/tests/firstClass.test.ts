import { stack, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { selfCommunicator } from "@chronograd/nn";
import { runWorkers } from "@chronograd/nn/node";
import { describe, expect, test } from "vitest";
import { unroll } from "../src/index.ts";
import { checkTruncated, testCell } from "../src/testing.ts";
import { cell, input, loss, marked, params, steps, train } from "./firstClass.ts";
import { distance, modes } from "./truncated/setup.ts";

const inputs = steps.map((step) => step.input);
const toArrays = (nested: unknown) => tree.map(nested, (x: Tensor) => x.toArray());

test("it holds all laws of cells", () => {
  testCell(cell, { input, runs: 1 }).assert();
});

describe("unroll", () => {
  const { outputs, state } = unroll(cell, params(), inputs);

  test("stacks every output, and counts in int32", () => {
    expect(outputs.y.shape).toEqual([11, 5, 2]);
    expect(outputs.all[0].shape).toEqual([11, 5, 2, 3]);
    expect(outputs.all[1].energy.shape).toEqual([11, 5]);
    expect([outputs.count.dtype, outputs.changed.dtype]).toEqual(["int32", "int32"]);
    expect(outputs.count.toArray()).toEqual(inputs.map((_, t) => new Array(5).fill(t + 1)));
    const symbols = inputs.map(({ symbol }) => [...symbol.toTypedArray()]);
    const isSame = symbols.map((now, t) => now.map((s, i) => +((symbols[t - 1]?.[i] ?? 0) === s)));
    expect(outputs.changed.toArray()).toEqual(isSame);
    expect(state.last.symbols.toArray()).toEqual(symbols.at(-1)!.map((s) => [s, s]));
  });

  test("gives each row of a ragged batch what it gives alone", () => {
    const lengths = [11, 3, 0, 7, 1];
    const isThere = inputs.map((_, t) => tensor(Int32Array.from(lengths, (n) => +(t < n))));
    const resets = stack(marked.map(({ reset }, t) => reset.mul(isThere[t]!)));
    const batch = unroll(cell, params(), inputs, { lengths, resets });
    for (const [row, length] of lengths.entries()) {
      const its = [row, row + 1] as const;
      const of = (x: Tensor) => x.slice([its]);
      const ofTime = (x: Tensor) => x.slice([[0, length], its]);
      const rest = tree.map(batch.outputs, (y: Tensor) => y.slice([[length, 11], its]));
      const [own, after] = [tree.map(batch.outputs, ofTime), tree.map(batch.state, of)];
      for (const y of tree.leaves(rest)) expect(y.toTypedArray().every((v) => v === 0)).toBe(true);
      if (length === 0) continue;
      const alone = unroll(cell, params(), tree.map(inputs.slice(0, length), of) as typeof inputs, {
        resets: ofTime(resets),
      });
      expect(toArrays(own)).toEqual(toArrays(alone.outputs));
      expect(toArrays(after)).toEqual(toArrays(alone.state));
    }
  });

  test("goes on from a state, and runs in reverse", () => {
    const first = unroll(cell, params(), inputs.slice(0, 4));
    const rest = unroll(cell, params(), inputs.slice(4), { state: first.state });
    expect(toArrays(rest.state)).toEqual(toArrays(state));
    const back = unroll(cell, params(), inputs.toReversed(), { reverse: true });
    expect(toArrays(back.state)).toEqual(toArrays(state));
    expect(back.outputs.count.slice([0]).toArray()).toEqual(new Array(5).fill(11));
  });
});

test.each([false, true])("every window is right in every mode, compile %j", (compile) => {
  const report = checkTruncated(cell, steps, { k1: 2, k2: 5, loss, compile });
  report.assert();
  expect(report.modes).toHaveLength(24);
});

const all = modes.flatMap((stale) =>
  (["new", "endpoint", "window"] as const).flatMap((losses) =>
    [false, true].map((isMarked) => ({ k1: 2, k2: 4, stale, losses, isMarked })),
  ),
);
const alone = all.map((options) => train(selfCommunicator, options));

describe.each([1, 3])("truncated on %d workers", (workers) => {
  test.each([false, true])("trains as one does, in every mode, compile %j", async (compile) => {
    const settings = all.map((options) => ({ ...options, compile }));
    const found =
      workers === 1
        ? [settings.map((options) => train(selfCommunicator, options))]
        : await runWorkers<ReturnType<typeof train>[], typeof settings>(
            new URL("./firstClass.ts", import.meta.url),
            { workers, input: settings },
          );
    for (const [i, expected] of alone.entries()) {
      for (const of of found.map((each) => each[i]!)) {
        expect(of.windows.map(({ end }) => end)).toEqual(expected.windows.map(({ end }) => end));
        for (const [j, { gradients, loss: total }] of of.windows.entries()) {
          const one = expected.windows[j]!;
          expect(distance(gradients, one.gradients)).toBeLessThan(1e-12);
          expect(Math.abs(total / one.loss - 1)).toBeLessThan(1e-12);
        }
        expect(distance(of.params, expected.params)).toBeLessThan(1e-12);
      }
      // Rows of the workers, one after the other, are those of the batch.
      for (const [j, { integers }] of expected.windows.entries()) {
        const parts = found.map((each) => each[i]!.windows[j]!.integers);
        expect([0, 1].map((part) => parts.flatMap((own) => own[part] as number[]))).toEqual(
          integers,
        );
      }
    }
  });
});
