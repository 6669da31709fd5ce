import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { eprop, type ForwardOptions, kfRtrl, rtrl, snap, uoro } from "../../src/estimators.ts";
import { defineCell, elman, gru, initialParams, lstm, lstmProjected } from "../../src/index.ts";
import { drawn, type PlainCell } from "../../src/testing/draw.ts";
import { estimatorSuite } from "../truncated/estimatorSuite.ts";
import { distanceOf, fullGradient, problemOf, sumOfWindows, windowsOf } from "./setup.ts";

const own = {
  rtrl: {},
  snap: { order: 1 },
  eprop: { visible: [] },
  uoro: { draws: rng(1) },
  kfRtrl: { draws: rng(1) },
};
const estimators = { rtrl, snap, eprop, uoro, kfRtrl } as unknown as Record<
  keyof typeof own,
  typeof rtrl
>;
const names = Object.keys(own) as (keyof typeof own)[];

for (const name of names) {
  estimatorSuite(name, (cell, params, stream, options) =>
    estimators[name](cell, params, stream, { k1: 2, ...own[name], ...options }),
  );
}

const steps = () => {
  const random = rng(5);
  return Array.from({ length: 3 }, () => ({
    input: drawn([2, 2], () => random.normal()),
    target: tensor(1, { dtype: "float64" }),
  }));
};
const loss = (y: Tensor) => y.square();

/** What an estimator says about a cell and options, over three steps. */
function said(name: keyof typeof own, cell: object, options: object): string {
  try {
    const params = initialParams(cell as PlainCell, rng(1), { dtype: "float64" });
    const given = { k1: 1, loss, ...own[name], ...options } as ForwardOptions<unknown>;
    for (const _ of estimators[name](cell as PlainCell, params, steps(), given as never));
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return "nothing";
}

const cell = elman({ input: 2, hidden: 3 });

describe("what forward estimators refuse", () => {
  test("options", () => {
    expect(said("rtrl", cell, { k2: 4 })).toMatchInlineSnapshot(
      `"TypeError: rtrl: k2 is no option, because its gradients reach back to the first step of the stream; leave it out, or use truncated"`,
    );
    expect(said("rtrl", cell, { k1: 0 })).toMatchInlineSnapshot(
      `"RangeError: rtrl: k1 must be a whole number of steps of at least 1, got 0"`,
    );
    expect(said("rtrl", cell, { measure: () => true })).toMatchInlineSnapshot(
      `"TypeError: rtrl: measure is no option, because nothing is swept back; stateGradients of @chronograd/rnn/flow measures norms"`,
    );
    expect(said("rtrl", cell, { order: 2 })).toMatchInlineSnapshot(
      `"TypeError: rtrl: there is no option "order". It takes k1, loss, state, reduction, compile, burnIn, rng, communicator, memory"`,
    );
    expect(said("rtrl", cell, { memory: { byte: 1 } })).toMatchInlineSnapshot(
      `"TypeError: rtrl: memory: there is no option "byte", did you mean "bytes"? It takes bytes"`,
    );
    expect(said("rtrl", cell, { memory: { bytes: 0 } })).toMatchInlineSnapshot(
      `"RangeError: rtrl: memory.bytes must be a number above 0, got 0"`,
    );
    expect(said("snap", cell, { order: 0.5 })).toMatchInlineSnapshot(
      `"RangeError: snap: order must be a whole number of steps of at least 1, got 0.5; rtrl keeps all of S"`,
    );
    expect(said("eprop", cell, { visible: ["c"] })).toMatchInlineSnapshot(
      `"TypeError: eprop: visible must be a list of paths of the state, some of "h", got "c"; of an LSTM it is ["h"]"`,
    );
    expect(said("eprop", cell, { visible: "h" })).toMatchInlineSnapshot(
      `"TypeError: eprop: visible must be a list of paths of the state, some of "h", got "h"; of an LSTM it is ["h"]"`,
    );
    expect(said("uoro", cell, { draws: 3 })).toMatchInlineSnapshot(
      `"TypeError: uoro: draws must be a generator, as rng(1, "uoro") gives, got 3; the estimator draws random signs from it"`,
    );
  });
  test("what does not fit, before anything is made", () => {
    expect(said("rtrl", cell, { memory: { bytes: 1000 } })).toMatchInlineSnapshot(
      `"RangeError: rtrl: a step needs about 3456 bytes for 2 rows, 3 components of the state and 18 parameters (S = dh/dtheta as a whole, [2, 3, 18]), and memory.bytes is 1000; allow more, or take fewer rows, or an estimator that keeps less, such as uoro"`,
    );
    expect(said("rtrl", lstm({ input: 2, hidden: 200 }), {})).toMatchInlineSnapshot(
      `"RangeError: rtrl: a step needs about 4157440000 bytes for 2 rows, 400 components of the state and 162400 parameters (S = dh/dtheta as a whole, [2, 400, 162400]), and memory.bytes is 1073741824; allow more, or take fewer rows, or an estimator that keeps less, such as uoro"`,
    );
  });
  test("cells whose state has no derivative, or another shape at each step", () => {
    const counter = defineCell({
      params: () => ({ w: init.zeros(2) }),
      state: () => ({ n: init.constant(0) }),
      step: ({ w }, x: Tensor, { n }) => [x.mul(w), { n }],
    })({ input: 2, hidden: 1 });
    const whole = {
      ...counter,
      state: { n: init.constant(0, { dtype: "int32" }) },
    };
    expect(said("rtrl", whole, {})).toMatchInlineSnapshot(
      `"TypeError: rtrl: the state of the model has no tensor of floats, so no gradient flows through time; use truncated with k1 and k2 of 1"`,
    );
    const growing = defineCell({
      params: () => ({ w: init.zeros(2) }),
      state: () => ({ past: init.zeros(1) }),
      step: ({ w }, x: Tensor, { past }) => {
        const y = x.mul(w).sum(1, { keepDims: true });
        return [
          y,
          {
            past: past.pad([
              [0, 0],
              [0, 1],
            ]),
          },
        ];
      },
    })({ input: 2, hidden: 1 });
    expect(said("snap", growing, { order: 1 })).toMatchInlineSnapshot(
      `"TypeError: snap: step 1 changes the state "past" from Tensor float64 [2,1] to Tensor float64 [2,2]; a gradient carried forwards needs a state of one shape at all steps"`,
    );
  });
  test("a model without parameters, and one whose derivatives are all 0", () => {
    const free = defineCell({
      params: () => ({}),
      state: () => ({ h: init.zeros(2) }),
      step: (_, x: Tensor, { h }) => [h.add(x), { h: h.add(x) }],
    })({ input: 2, hidden: 2 });
    expect(said("rtrl", free, {})).toMatchInlineSnapshot(
      `"TypeError: rtrl: the model has no parameters of floats, so there is no gradient"`,
    );
    const flat = defineCell({
      params: () => ({ W: init.glorot(2, 2) }),
      state: () => ({ h: init.zeros(2) }),
      step: ({ W }, x: Tensor, { h }) => {
        const next = x.matmul(W).add(h).floor();
        return [next.add(W.sum()), { h: next }];
      },
    })({ input: 2, hidden: 2 });
    for (const name of names) expect(said(name, flat, {})).toBe("nothing");
  });
  test("kfRtrl takes cells whose units are alike", () => {
    const models = [
      gru({ input: 2, hidden: 4 }),
      elman({ input: 2, hidden: 4, activation: "relu" }),
      lstmProjected({ input: 2, hidden: 4, projection: 2 }),
    ];
    for (const model of models) {
      const params = initialParams(model as PlainCell, rng(1), { dtype: "float64" });
      for (const weights of [params, tree.map(params, (x: Tensor) => x.mul(0).add(0.25))]) {
        // An input of 0 leaves the same derivatives to all units.
        const stream = steps().map((step, i) => ({ ...step, input: step.input.mul(i) }));
        const given = { k1: 1, loss, draws: rng(1) };
        const windows = kfRtrl(
          model as PlainCell,
          weights as never,
          stream as never,
          given as never,
        );
        expect([...(windows as unknown as Iterable<unknown>)]).toHaveLength(3);
      }
    }
  });
  test("a cell that has not the form of kfRtrl", () => {
    const both = defineCell({
      params: ({ hidden }: { input: number; hidden: number }) => ({ U: init.orthogonal(hidden) }),
      state: ({ hidden }) => ({ h: init.zeros(hidden) }),
      step: ({ U }, x, { h }) => {
        const next = h.add(1).matmul(U).add(h.square().add(x.sum()).matmul(U)).tanh();
        return [next, { h: next }];
      },
    })({ input: 2, hidden: 3 });
    expect(said("kfRtrl", both, {})).toBe("nothing");
    const twice = {
      ...both,
      step: ((p, _, s) => {
        const next = s.h.matmul(p.U).tanh().add(1).matmul(p.U).tanh();
        return [next, { h: next }];
      }) as typeof both.step,
    };
    expect(said("kfRtrl", twice, {})).toMatchInlineSnapshot(
      `"TypeError: kfRtrl: the parameter "U" has not the form of a matrix that multiplies one vector in a step: in step 2 it multiplies more than one vector; use uoro or snap, which take any cell"`,
    );
  });
  test("a parameter that moves what it moved in no trial", () => {
    // Random trials never have an input of 100.
    const rare = defineCell({
      params: () => ({ w: init.constant(1, 3), v: init.constant(1, 3) }),
      state: () => ({ h: init.zeros(3) }),
      step: ({ w, v }, x: Tensor, { h }) => {
        const gate = x.sum(1, { keepDims: true }).greater(50).cast("float64");
        const next = h
          .mul(w)
          .add(x.sum(1, { keepDims: true }))
          .add(v.mul(gate));
        return [next, { h: next }];
      },
    })({ input: 2, hidden: 3 });
    const params = initialParams(rare, rng(1), { dtype: "float64" });
    const stream = [1, 1, 1, 100].map((x) => ({
      input: tensor([[x, x]], { dtype: "float64" }),
      target: tensor(1, { dtype: "float64" }),
    }));
    expect(() => [
      ...snap(rare, params, stream, { k1: 1, order: 1, loss }),
    ]).toThrowErrorMatchingInlineSnapshot(
      `[Error: snap: in step 4, the parameter "v"[0] moves a part of the state that it moved in no random trial of the step, so the sparsity that was found does not hold; use rtrl or uoro, which assume none]`,
    );
  });
});

test("float32 is float32, near float64", () => {
  const random = rng(3);
  const problem = problemOf(lstm({ input: 2, hidden: 3 }) as unknown as PlainCell, () =>
    drawn([2, 2], () => random.normal()),
  );
  const full = fullGradient(problem);
  const single = <T>(values: T): T => tree.map(values, (x: Tensor) => x.cast("float32")) as T;
  const small = {
    cell: problem.cell,
    params: single(problem.params),
    state: single(problem.state),
    stream: problem.stream.map((step) => single(step)),
  };
  for (const compile of [false, true]) {
    const found = sumOfWindows(windowsOf(rtrl, small, { k1: 2, compile }));
    expect(distanceOf(found, full)).toBeLessThan(1e-5);
    expect(distanceOf(found, full)).toBeGreaterThan(1e-12);
  }
});
