import { createBackend, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { elman, initialParams, type TimeStep, truncated } from "../../src/index.ts";
import { modes, numbers } from "./setup.ts";

const cell = elman({ input: 2, hidden: 2 });
const params = initialParams(cell, rng(1));
const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();
const step: TimeStep = { input: zeros([1, 2]), target: zeros([1, 2]) };

describe.each(modes)("%s", (stale) => {
  const options = { k1: 2, k2: 3, loss, stale };

  test("a whole sequence is its slices in time", () => {
    const draw = (seed: string) => {
      const random = rng(1, seed);
      return tensor(
        Float32Array.from({ length: 5 * 3 * 2 }, () => random.normal()),
        { shape: [5, 3, 2] },
      );
    };
    const sequence = { inputs: draw("inputs"), targets: draw("targets") };
    const slices = Array.from({ length: 5 }, (_, t) => ({
      input: sequence.inputs.slice([t]),
      target: sequence.targets.slice([t]),
    }));
    const [whole, parts] = [sequence, slices].map((source) =>
      Array.from(truncated(cell, params, source, options), ({ losses, gradients }) => ({
        losses,
        gradients: numbers(gradients),
      })),
    );
    expect(whole).toEqual(parts);
    expect(whole!.flatMap((w) => w.losses)).toHaveLength(5);
  });

  test("a stream without steps throws a sentence", () => {
    expect(() =>
      Array.from(truncated(cell, params, [], options)),
    ).toThrowErrorMatchingInlineSnapshot(`[RangeError: truncated: the stream has no steps]`);
  });

  /** An iterator of T steps that notes how it is used. */
  function noted(T: number, atEnd: () => { done: true; value: undefined }) {
    const calls = { next: 0, return: 0 };
    const iterator: Iterator<TimeStep> = {
      next: () => (calls.next++ < T ? { done: false, value: step } : atEnd()),
      return: () => {
        calls.return++;
        return { done: true, value: undefined };
      },
    };
    return { calls, steps: { [Symbol.iterator]: () => iterator } };
  }
  const ended = () => ({ done: true, value: undefined }) as const;

  test.each([4, 5])(
    "a stream of %i steps is asked once more, and is not told that it has ended",
    (T) => {
      const { calls, steps } = noted(T, ended);
      for (const _ of truncated(cell, params, steps, options));
      expect(calls).toEqual({ next: T + 1, return: 0 });
    },
  );

  test("a stream that throws is left alone", () => {
    const { calls, steps } = noted(3, () => {
      throw new Error("mine");
    });
    expect(() => Array.from(truncated(cell, params, steps, options))).toThrow("mine");
    expect(calls).toEqual({ next: 4, return: 0 });
  });

  test("a stream that is not used up is told so, once", () => {
    const { calls, steps } = noted(100, ended);
    const failing = (y: Tensor): Tensor => {
      if (calls.next === 4) throw new Error("mine");
      return y;
    };
    expect(() =>
      Array.from(truncated(cell, params, steps, { ...options, loss: failing, compile: false })),
    ).toThrow("mine");
    expect(calls).toEqual({ next: 4, return: 1 });
    if (stale === "defer") return;
    const early = noted(100, ended);
    for (const _ of truncated(cell, params, early.steps, options)) break;
    expect(early.calls).toEqual({ next: 2, return: 1 });
    // An iterator need not care.
    const bare = { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: step }) }) };
    for (const _ of truncated(cell, params, bare as Iterable<TimeStep>, options)) break;
  });

  test("what a stream makes after its last step ends at once, and says why", () => {
    const kept: Tensor[] = [];
    function* steps(fails: boolean): Generator<TimeStep> {
      yield step;
      kept.push(zeros([1]));
      if (fails) throw new Error("mine");
    }
    for (const _ of truncated(cell, params, steps(false), options)) {
      expect(() => kept[0]!.add(1)).toThrow(/is gone: the stream of steps has ended/);
    }
    expect(() => Array.from(truncated(cell, params, steps(true), options))).toThrow("mine");
    expect(() => kept[1]!.add(1)).toThrow(/is gone: the stream of steps threw/);
  });

  test("a step that came and could not be taken is returned", () => {
    const backend = createBackend();
    const here = initialParams(cell, rng(1), { backend });
    const before = backend.memory.bytesInUse;
    function* scalars(): Generator<TimeStep> {
      yield { input: zeros([], { backend }), target: zeros([], { backend }) };
    }
    expect(() => Array.from(truncated(cell, here, scalars(), options))).toThrow(/truncated/);
    expect(backend.memory.bytesInUse).toBe(before);
    let first = true;
    function* pairs(): Generator<TimeStep> {
      for (;;) yield { input: zeros([1, 2], { backend }), target: zeros([1, 2], { backend }) };
    }
    const once = () => {
      if (!first) throw new Error("mine");
      first = false;
      return here;
    };
    expect(() => {
      for (const _ of truncated(cell, once, pairs(), options)) if (stale === "defer") once();
    }).toThrow("mine");
    expect(backend.memory.bytesInUse).toBe(before);
  });
});

describe("what is no stream", () => {
  const options = { k1: 1, k2: 1, loss };

  test("throws at the call", () => {
    expect(() =>
      truncated(cell, params, null as never, options),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: truncated: the stream must be an iterable of { input, target }, or { inputs, targets }, got null]`,
    );
    expect(() => truncated(cell, params, [step], null as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: truncated: options must be an object with k1, k2 and loss, got null]`,
    );
  });

  test("sequences without an axis of time, or with two of them", () => {
    const run = (inputs: Tensor, targets: Tensor) => () =>
      Array.from(truncated(cell, params, { inputs, targets }, options));
    expect(run(tensor(1), tensor(1))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: truncated: inputs and targets must be time-major and equally long, got shapes [] and []]`,
    );
    expect(run(zeros([3, 1, 2]), zeros([2, 1, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: truncated: inputs and targets must be time-major and equally long, got shapes [3,1,2] and [2,1,2]]`,
    );
  });
});
