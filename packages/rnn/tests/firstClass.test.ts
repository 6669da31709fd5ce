import { type Tensor, tree } from "@chronograd/autodiff";
import { selfCommunicator } from "@chronograd/nn";
import { runWorkers } from "@chronograd/nn/node";
import { describe, expect, test } from "vitest";
import { unroll } from "../src/index.ts";
import { checkTruncated, testCell } from "../src/testing.ts";
import { cell, input, loss, params, steps, train } from "./firstClass.ts";
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

  test("goes on from a state, and runs in reverse", () => {
    const first = unroll(cell, params(), inputs.slice(0, 4));
    const rest = unroll(cell, params(), inputs.slice(4), { state: first.state });
    expect(toArrays(rest.state)).toEqual(toArrays(state));
    const back = unroll(cell, params(), inputs.toReversed(), { reverse: true });
    expect(toArrays(back.state)).toEqual(toArrays(state));
    expect(back.outputs.count.slice([0]).toArray()).toEqual(new Array(5).fill(11));
  });
});

test("every window is right in every mode, with plans and without", () => {
  for (const compile of [false, true]) {
    const report = checkTruncated(cell, steps, {
      k1: 2,
      k2: 5,
      loss,
      compile,
    });
    report.assert();
    expect(report.modes).toHaveLength(24);
  }
});

describe.each([1, 2, 3])("truncated on %d workers", (workers) => {
  test("trains as one does, with plans and without, whatever the mode", async () => {
    const all = modes.flatMap((stale) =>
      (["new", "endpoint", "window"] as const).flatMap((losses) =>
        [false, true].map((compile) => ({ k1: 2, k2: 4, stale, losses, compile })),
      ),
    );
    const found =
      workers === 1
        ? [all.map((options) => train(selfCommunicator, options))]
        : await runWorkers<ReturnType<typeof train>[], typeof all>(
            new URL("./firstClass.ts", import.meta.url),
            { workers, input: all },
          );
    for (const [i, options] of all.entries()) {
      const expected = train(selfCommunicator, { ...options, compile: false });
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
