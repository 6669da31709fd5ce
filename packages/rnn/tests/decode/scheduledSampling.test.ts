import { scope, type Tensor, tensor } from "@chronograd/autodiff";
import { embedding, linear, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { scheduledSampling } from "../../src/decode.ts";
import { gru, initialParams, initialState, sequential, unroll } from "../../src/index.ts";

const V = 5;
const model = sequential({
  embedding: embedding({ input: V, output: 6 }),
  gru: gru({ input: 6, hidden: 8 }),
  head: linear({ input: 8, output: V }),
});
const drawn = initialParams(model, rng(3), { dtype: "float64" });
// Scores far apart, so that a greedy choice does not hang on rounding.
const params = { ...drawn, head: { ...drawn.head, W: drawn.head.W.mul(8) } };
const [T, B] = [6, 20];
const inputs = tensor(
  Int32Array.from({ length: T * B }, (_, i) => (i * 7) % V),
  { shape: [T, B] },
);
const logits = (x: Tensor) => unroll(model, params, x, { compile: true }).outputs;
const own = (more: object = {}) =>
  scheduledSampling({ inputs, logits, truth: 0, rng: rng(1, "own"), temperature: 0, ...more });
const numbers = (x: Tensor) => Array.from(x.toTypedArray());

/** The same, step by step: what is given after each step decides what comes next. */
function stepByStep(choose: (scores: number[], t: number, b: number) => number): number[] {
  return scope(() => {
    let state = initialState(model, B, { dtype: "float64" });
    let x = inputs.slice([0]);
    const all = numbers(x);
    for (let t = 1; t < T; t++) {
      const [y, next] = model.step(params, x, state);
      const rows = (y as Tensor).toArray() as number[][];
      const chosen = rows.map((scores, b) => choose(scores, t, b));
      all.push(...chosen);
      [x, state] = [tensor(Int32Array.from(chosen)), next];
    }
    return tensor(all);
  })
    .toArray()
    .valueOf() as number[];
}

const best = (scores: readonly number[]) => scores.indexOf(Math.max(...scores));

describe("scheduledSampling", () => {
  test("keeps all true inputs where truth is 1", () => {
    expect(own({ truth: 1 })).toBe(inputs);
  });

  test("without any truth, T - 1 passes give what the model says step by step", () => {
    expect(numbers(own({ passes: T - 1 }))).toEqual(stepByStep(best));
    // Another pass changes nothing.
    expect(numbers(own({ passes: T }))).toEqual(stepByStep(best));
  });

  test("after n passes the first n + 1 steps are those of sampling step by step", () => {
    for (const temperature of [0, 1]) {
      const exact = numbers(own({ temperature, truth: 0.4, passes: T }));
      for (let passes = 1; passes < T; passes++) {
        const some = numbers(own({ temperature, truth: 0.4, passes }));
        const first = (passes + 1) * B;
        expect(some.slice(0, first)).toEqual(exact.slice(0, first));
      }
    }
  });

  test("one pass gives what follows true inputs", () => {
    const expected = numbers(logits(inputs).argmax(-1));
    const found = numbers(own());
    expect(found.slice(0, B)).toEqual(numbers(inputs).slice(0, B));
    expect(found.slice(B)).toEqual(expected.slice(0, (T - 1) * B));
  });

  test("keeps inputs as often as truth says, and draws by the probabilities", () => {
    const many = { shape: [2, 40_000] } as const;
    const start = tensor(new Int32Array(80_000).fill(1), many);
    // Probabilities 0.5, 0.2 and 0.3.
    const scores = tensor([Math.log(0.5), Math.log(0.2), Math.log(0.3)], { dtype: "float64" });
    const found = scheduledSampling({
      inputs: start,
      logits: (x) => scores.broadcastTo([...x.shape, 3]),
      truth: 0.25,
      rng: rng(5, "own"),
    });
    const second = numbers(found).slice(40_000);
    const share = (v: number) => second.filter((x) => x === v).length / 40_000;
    // Four standard deviations of a share are at most 0.01.
    expect(Math.abs(share(0) - 0.75 * 0.5)).toBeLessThan(0.01);
    expect(Math.abs(share(1) - (0.25 + 0.75 * 0.2))).toBeLessThan(0.01);
    expect(Math.abs(share(2) - 0.75 * 0.3)).toBeLessThan(0.01);
  });

  test("is the same for a seed, and another for another", () => {
    const with1 = () => numbers(own({ temperature: 1, truth: 0.5 }));
    expect(with1()).toEqual(with1());
    expect(with1()).not.toEqual(numbers(own({ temperature: 1, truth: 0.5, rng: rng(2, "own") })));
  });

  test("gives whole numbers that no tape tracks", () => {
    const found = own({ truth: 0.5 });
    expect([found.dtype, found.tape]).toEqual(["int32", null]);
  });

  test("refuses what does not fit", () => {
    const act = (more: object) => () => own(more);
    expect(act({ inputs: [[1]] })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: scheduledSampling: inputs must be int32 [T, B], the true symbols of T steps, got [[1]]]`,
    );
    expect(act({ inputs: inputs.cast("float32") })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: scheduledSampling: inputs must be int32 [T, B], the true symbols of T steps, got Tensor float32 [6,20]]`,
    );
    expect(act({ logits: null })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: scheduledSampling: logits must be a function of inputs [T, B] that gives scores [T, B, V], got null]`,
    );
    expect(act({ logits: () => inputs })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: scheduledSampling: logits must give float scores [6, 20, V] for inputs [6, 20], got Tensor int32 [6,20]]`,
    );
    expect(act({ truth: 1.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: scheduledSampling: truth must be a probability from 0 to 1, that of keeping a true input, got 1.5]`,
    );
    expect(act({ truth: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: scheduledSampling: truth must be a probability from 0 to 1, that of keeping a true input, got NaN]`,
    );
    expect(act({ truth: "1" })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: scheduledSampling: truth must be a probability from 0 to 1, that of keeping a true input, got "1"]`,
    );
    expect(() => scheduledSampling(undefined as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: scheduledSampling: options must be an object such as { inputs: ... }, got null. It takes inputs, logits, truth, rng, temperature, passes]`,
    );
    expect(act({ rng: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: scheduledSampling: rng must be a generator, such as rng(1, "sampling"), got 1]`,
    );
    expect(act({ temperature: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: scheduledSampling: temperature must be a finite number of at least 0, got -1]`,
    );
    expect(
      act({ logits: (x: Tensor) => logits(x).mul(Number.NaN) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: scheduledSampling: the logit of token 0 in row 0 is NaN, and a logit must be a number below Infinity; check that training did not diverge]`,
    );
    expect(act({ passes: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: scheduledSampling: passes must be a whole number of at least 1, got 0]`,
    );
    expect(act({ probability: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: scheduledSampling: there is no option "probability". It takes inputs, logits, truth, rng, temperature, passes]`,
    );
  });
});
