import { createBackend, scope, Tape, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { applyUpdates, rng, sgd } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import {
  defineCell,
  initialParams,
  lstm,
  type TimeStep,
  type TruncatedOptions,
  truncated,
  unroll,
} from "../../src/index.ts";
import { half, line, modes } from "./setup.ts";

const step = { input: tensor([[0]]), target: tensor([[0]]) };
const loss = (x: Tensor): Tensor => x;

describe("the gradient at the cut", () => {
  test.each(["carry", "recompute"] as const)("%s: k1 = k2 = 1", (stale) => {
    const windows = truncated(line, half(), [step, step, step], {
      k1: 1,
      k2: 1,
      loss,
      stale,
      measure: () => true,
    });
    expect(Array.from(windows, (w) => w.stateGradientNorms)).toEqual([[0.5], [0.5], [0.5]]);
  });

  test("k1 = k2 = 2, the first window included", () => {
    const windows = truncated(line, half(), [step, step, step, step], {
      k1: 2,
      k2: 2,
      loss,
      measure: () => true,
    });
    // L = x_1 + x_2: by x_0 w + w^2; by x_1, from the step after it, w.
    expect(Array.from(windows, (w) => w.stateGradientNorms)).toEqual([
      [0.75, 0.5],
      [0.75, 0.5],
    ]);
  });
});

test("a state that is a parameter itself is cut like any other", () => {
  const lag = defineCell({
    params: () => ({ w: { shape: [], draw: () => Float64Array.of(0.5) } }),
    state: () => ({ h: { shape: [], draw: () => Float64Array.of(0) } }),
    // The output is the weight of the step before.
    step: ({ w }, _: Tensor, { h }) => [h.mul(1), { h: w }],
  })({ input: 1, hidden: 1 });
  const gradients = (k2: number, stale: "carry" | "recompute") =>
    Array.from(
      truncated(lag, half(), [step, step, step], {
        k1: 1,
        k2,
        stale,
        loss: (y: Tensor) => y.sum(),
        state: { h: tensor(0, { dtype: "float64" }) },
      }),
      (w) => w.gradients.w.item(),
    );
  for (const stale of ["carry", "recompute"] as const) {
    expect(gradients(1, stale)).toEqual([0, 0, 0]);
    expect(gradients(2, stale)).toEqual([0, 1, 1]);
  }
});

test("a state from a window that is over is refused; its clone goes on", () => {
  const params = half();
  const run = (state: { x: Tensor } | undefined) =>
    Array.from(
      truncated(line, params, [step, step], { k1: 1, k2: 1, loss, ...(state && { state }) }),
      (w) => ({ state: w.state, kept: tree.map(w.state, (x: Tensor) => x.clone()), loss: w.loss }),
    ).at(-1)!;
  const first = run(undefined);
  expect(() => run(first.state)).toThrow(/is gone: its window is over; clone\(\)/);
  expect(run(first.kept).loss).toBe(0.5 ** 4);
});

test("a window's state cannot be asked for once the window is over", () => {
  const windows = Array.from(truncated(line, half(), [step, step], { k1: 1, k2: 1, loss }));
  expect(() => windows[0]!.state).toThrow(/its window is over/);
});

describe("everything is returned", () => {
  const cell = lstm({ input: 1, hidden: 3 });
  const squared = (y: Tensor): Tensor => y.square();

  /** Bytes that a run leaves in a backend of its own, however it ends. */
  function leaves(
    stale: (typeof modes)[number],
    make: (backend: ReturnType<typeof createBackend>) => {
      steps?: Iterable<TimeStep>;
      options?: Partial<TruncatedOptions<typeof cell.state>>;
      throwing?: boolean;
    },
  ): number {
    const backend = createBackend();
    const params = initialParams(cell, rng(1), { backend });
    const before = backend.memory.bytesInUse;
    const { steps, options, throwing } = make(backend);
    const broken = {
      ...cell,
      step: () => {
        throw new Error("mine");
      },
    } as unknown as typeof cell;
    function* plain(): Generator<TimeStep> {
      for (let t = 0; t < 5; t++)
        yield { input: zeros([1, 1], { backend }), target: zeros([1], { backend }) };
    }
    try {
      const all = { k1: 2, k2: 4, loss: squared, stale, ...options };
      for (const _ of truncated(throwing === true ? broken : cell, params, steps ?? plain(), all));
    } catch (error) {
      const { message, cause } = error as Error;
      expect((cause as Error | undefined)?.message ?? message).toBe("mine");
    }
    return backend.memory.bytesInUse - before;
  }

  test.each(modes)("%s", (stale) => {
    expect(leaves(stale, () => ({}))).toBe(0);
    expect(leaves(stale, () => ({ throwing: true }))).toBe(0);
    expect(
      leaves(stale, () => ({
        options: {
          loss: () => {
            throw new Error("mine");
          },
        },
      })),
    ).toBe(0);
    function* failing(backend: ReturnType<typeof createBackend>): Generator<TimeStep> {
      yield { input: zeros([1, 1], { backend }), target: zeros([1], { backend }) };
      zeros([7], { backend });
      throw new Error("mine");
    }
    expect(leaves(stale, (backend) => ({ steps: failing(backend) }))).toBe(0);
    function* trailing(backend: ReturnType<typeof createBackend>): Generator<TimeStep> {
      yield { input: zeros([1, 1], { backend }), target: zeros([1], { backend }) };
      zeros([7], { backend });
    }
    expect(leaves(stale, (backend) => ({ steps: trailing(backend) }))).toBe(0);
  });
});

describe("options that cannot be meant throw at the call", () => {
  const call = (options: object) =>
    truncated(line, half(), [step], { k1: 1, k2: 2, loss, ...options } as never);
  test.each([
    ["multiplicity without an end", { losses: "window", multiplicity: true, k2: Infinity }],
    ["k2 below k1", { k1: 3 }],
  ])("%s", (_what, options) => {
    expect(() => call(options)).toThrowErrorMatchingSnapshot();
  });

  test("undefined stands for the default", () => {
    expect(
      Array.from(call({ stale: undefined, losses: undefined, reduction: undefined })),
    ).toHaveLength(1);
  });

  test("a count that is none", () => {
    expect(() =>
      Array.from(call({ loss: (x: Tensor) => ({ loss: x }) })),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: truncated: the count of step 1's loss must be a number, or a tensor of one element or of one for each row, got undefined]`,
    );
  });
});

test("defer takes streams of any length, and trees with integers", () => {
  const params = { ...half(), labels: tensor(Int32Array.of(1)) };
  const cell = {
    ...line,
    params: { ...line.params, labels: { shape: [1], draw: () => new Float64Array(1) } },
  };
  const long = Array.from({ length: 1000 }, () => step);
  const [window] = Array.from(
    truncated(cell, params as never, long, { k1: 1, k2: 1, loss, stale: "defer" }),
  );
  expect(window!.losses).toHaveLength(1000);
});

test("unroll off the tape keeps no step's intermediate values", () => {
  const backend = createBackend();
  const cell = lstm({ input: 4, hidden: 16 });
  const params = initialParams(cell, rng(1), { backend });
  const peak = (T: number): number => {
    const xs = zeros([T, 2, 4], { backend });
    return scope(() => {
      const before = backend.memory.bytesInUse;
      backend.memory.peakBytes = before;
      unroll(cell, params, xs);
      return backend.memory.peakBytes - before;
    });
  };
  // Outputs, once as steps and once stacked, and the inputs' and states' share.
  const perStep = (peak(300) - peak(100)) / 200;
  expect(perStep).toBeLessThan(6 * 2 * 16 * 4);
});

test("an optimizer inside of a scope does not disturb the stream", () => {
  let params = half();
  const optimizer = sgd({ learningRate: 0.1 });
  let state = optimizer.init(params);
  const seen: number[] = [];
  for (const window of truncated(line, params, [step, step, step, step], { k1: 1, k2: 2, loss })) {
    const { gradients } = window;
    const before = params;
    [params, state] = scope(() => {
      const [updates, next] = optimizer.update(gradients, state, before);
      return [applyUpdates(before, updates), next];
    });
    seen.push(params.w.item());
  }
  expect(new Set(seen).size).toBe(4);
});

test("windows may be made inside of a scope that holds a tape of its own", () => {
  scope(() => {
    const tape = new Tape();
    const w = tape.watch(tensor(2));
    const y = w.square();
    for (const _ of truncated(line, half(), [step, step], { k1: 1, k2: 1, loss }));
    expect(tape.gradient(y, w).item()).toBe(4);
  });
});
