import { clone, createBackend, Tape, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { Region } from "@chronograd/autodiff/extend";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { describe, expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  addDecayedWeights,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  clipByValue,
  cosineDecay,
  type GradientTransformation,
  rmsprop,
  scale,
  scaleByLearningRate,
  sgd,
  trace,
} from "../../src/index.ts";
import { Run } from "./run.ts";

const backend = createBackend({ kernels: referenceKernels });
const float64 = { dtype: "float64", backend } as const;
const vector = (...values: number[]) => tensor(values, float64);

const makers: Readonly<Record<string, () => GradientTransformation>> = {
  sgd: () => sgd({ learningRate: 0.1, momentum: 0.9 }),
  rmsprop: () => rmsprop({ centered: true, momentum: 0.5 }),
  adagrad: () => adagrad({ learningRate: 1 }),
  adam: () => adam({ learningRate: 0.1, amsgrad: true }),
  adamW: () => adamW({ learningRate: 0.1 }),
};
const each = Object.entries(makers);

test.each(each)("%s reaches the minimum of a parabola", (_name, make) => {
  const optimizer = new Run(make());
  const target = vector(3, -2, 0.5);
  let params = { w: vector(0, 0, 0) };
  const distance = () => params.w.sub(target).norm().item();
  const start = distance();
  for (let i = 0; i < 400; i++) params = optimizer.update(params, { w: params.w.sub(target) });
  expect(distance()).toBeLessThan(0.5 * start);
});

test.each(each)("%s treats a long parameter as it treats its parts", (_name, make) => {
  const n = 5000;
  const w = Float64Array.from({ length: n }, (_, i) => Math.sin(i));
  const g = Float64Array.from({ length: n }, (_, i) => Math.cos(3 * i));
  const whole = new Run(make());
  const parts = new Run(make());
  let a = { w: tensor(w, float64) };
  let b = [
    tensor(w.subarray(0, 1), float64),
    tensor(w.subarray(1, 2049), float64),
    tensor(w.subarray(2049), float64),
  ];
  for (let i = 0; i < 3; i++) {
    a = whole.update(a, { w: tensor(g, float64) });
    b = parts.update(b, [
      tensor(g.subarray(0, 1), float64),
      tensor(g.subarray(1, 2049), float64),
      tensor(g.subarray(2049), float64),
    ]);
  }
  expect(b.flatMap((x) => [...x.toTypedArray()])).toEqual([...a.w.toTypedArray()]);
});

test.each(each)(
  "%s works in float32, in any tree, on a lone tensor and on an empty one",
  (_name, make) => {
    const w = tensor([1, -1], { backend });
    expect(new Run(make()).update(w, tensor([1, -1], { backend })).dtype).toBe("float32");
    const nested = {
      layers: [{ W: zeros([2, 3], { backend }) }, { W: zeros([0, 3], { backend }), note: "text" }],
    };
    const next = new Run(make()).update(nested, {
      layers: [{ W: zeros([2, 3], { backend }) }, { W: zeros([0, 3], { backend }), note: "text" }],
    });
    expect(next.layers.map(({ W }) => W.shape)).toEqual([
      [2, 3],
      [0, 3],
    ]);
    expect(next.layers[1]!.note).toBe("text");
  },
);

test("gradients are left as they are, and links take what the ones before give", () => {
  const g = { w: vector(3, 4) };
  const chained = chain({
    clip: clipByGlobalNorm(1),
    value: clipByValue(0.7),
    sgd: sgd({ learningRate: 1, weightDecay: 0.5 }),
  });
  const run = new Run(chained);
  const next = run.update({ w: vector(0, 0) }, g);
  expect(next.w.toArray()).toEqual([expect.closeTo(-0.6, 14), expect.closeTo(-0.7, 14)]);
  expect(g.w.toArray()).toEqual([3, 4]);
  // Each link has the norm that it met.
  expect(run.state!.clip.norm.item()).toBe(5);
  expect(run.state!.value.norm.item()).toBeCloseTo(1, 14);
});

test("small links make what the large ones are made of", () => {
  const rate = cosineDecay({ initial: 0.5, steps: 9 });
  const one = new Run(sgd({ learningRate: rate, momentum: 0.9, nesterov: true, weightDecay: 0.1 }));
  const other = new Run(
    chain({
      decay: addDecayedWeights(0.1),
      trace: trace({ decay: 0.9, nesterov: true }),
      rate: scaleByLearningRate(rate),
    }),
  );
  let [a, b] = [{ w: vector(1, -2) }, { w: vector(1, -2) }];
  for (let i = 0; i < 12; i++) {
    a = one.update(a, { w: vector(Math.sin(i), 3) });
    b = other.update(b, { w: vector(Math.sin(i), 3) });
    const [x, y] = [a.w.toArray<number[]>(), b.w.toArray<number[]>()];
    for (const k of [0, 1]) expect(x[k]).toBeCloseTo(y[k]!, 12);
  }
  expect(other.state!.rate.step.item()).toBe(12);
  expect(
    scale(-2)
      .update({ w: vector(1) }, {}, {})[0]
      .w.item(),
  ).toBe(-2);
});

test("a rule of one's own keeps its state beyond the window, alone it says what to do", () => {
  const own: GradientTransformation<{ average: Tensor }> = {
    init: (params) => ({ average: (params as { w: Tensor }).w.mul(0) }),
    update: (gradients, { average }) => {
      const next = average.mul(0.5).add((gradients as unknown as { w: Tensor }).w);
      return [{ w: next } as never, { average: next }];
    },
  };
  const window = (): [Region, Tensor] => {
    const region = new Region(true);
    const g = vector(4);
    region.hold(g.block);
    return [region, g];
  };
  const run = new Run(chain({ own }));
  let params = { w: vector(0) };
  for (let i = 0; i < 3; i++) {
    const [region, w] = window();
    params = run.update(params, { w });
    region.end("the window is over; clone() it");
  }
  expect(run.state!.own.average.item()).toBe(7);
  expect(params.w.item()).toBe(4 + 6 + 7);
  const [region, w] = window();
  const [, next] = own.update({ w }, own.init(params), params);
  region.end("the window is over; clone() it");
  expect(() => own.update({ w: vector(1) }, next, params)).toThrow(/over; clone\(\) it/);
});

test("int32 tensors and what is no tensor are passed on as they are", () => {
  const order = tensor([1, 2], { dtype: "int32", backend });
  const params = { w: vector(1), order, name: "text" };
  const run = new Run(adam());
  const next = run.update(params, { w: vector(1), order, name: "text" });
  expect(tree.leavesWithPath(run.state).map(([path]) => path)).toEqual(["step", "m.w", "rms.w"]);
  expect(next.order).toBe(order);
  expect(order.toArray()).toEqual([1, 2]);
  expect(next.name).toBe("text");
});

describe("schedules", () => {
  test("step 0 is the first update", () => {
    const seen: number[] = [];
    const rate = cosineDecay({ initial: 1, steps: 2 });
    const optimizer = new Run(
      sgd({
        learningRate: (step: number) => {
          seen.push(step);
          return rate(step);
        },
      }),
    );
    let w = vector(0);
    for (let i = 0; i < 3; i++) w = optimizer.update(w, vector(1));
    expect(w.item()).toBeCloseTo(-1.5, 14);
    expect(seen).toEqual([0, 1, 2]);
    expect(optimizer.state!.step.item()).toBe(3);
  });
});

describe("consumed values", () => {
  test("are gone, with the reason; clones are not", () => {
    const params = { w: vector(1) };
    const kept = clone(params.w);
    const optimizer = sgd({ learningRate: 1, momentum: 0.5 });
    const state = optimizer.init(params);
    const old = { ...state };
    const [updates, next] = optimizer.update({ w: vector(1) }, state, params);
    applyUpdates(params, updates);
    expect(() => params.w.toArray()).toThrowErrorMatchingInlineSnapshot(
      `[Error: toTypedArray: Tensor float64 [1] is gone: applyUpdates consumed it; use what that call returned, or pass clone(...) to keep the old value]`,
    );
    expect(() =>
      optimizer.update({ w: vector(1) }, next, params),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: sgd.update: "w" is gone: applyUpdates consumed it; use what that call returned, or pass clone(...) to keep the old value]`,
    );
    expect(() =>
      optimizer.update({ w: vector(1) }, old, { w: kept }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: sgd.update: the state's momentum of "w" is gone: sgd.update consumed it; use what that call returned, or pass clone(...) to keep the old value]`,
    );
    expect(() => applyUpdates(params, updates)).toThrowErrorMatchingInlineSnapshot(
      `[Error: applyUpdates: "w" is gone: applyUpdates consumed it; use what that call returned, or pass clone(...) to keep the old value]`,
    );
    expect(kept.item()).toBe(1);
  });

  test("a state that others need is copied, not overwritten", () => {
    const optimizer = adam();
    const params = { w: vector(1, 2) };
    const first = optimizer.init(params);
    const [, state] = optimizer.update({ w: vector(1, 1) }, first, params);
    const view = (state.m as { w: Tensor }).w.slice([[0, 1]]);
    const before = view.item();
    const [, next] = optimizer.update({ w: vector(5, 5) }, state, params);
    expect(view.item()).toBe(before);
    expect((next.m as { w: Tensor }).w.toArray()).not.toContain(before);
  });

  test("parameters live on for the tapes that recorded them", () => {
    const optimizer = new Run(sgd({ learningRate: 1 }));
    const tape = new Tape();
    const params = { w: vector(3) };
    const watched = tape.watch(params);
    const loss = watched.w.square().sum();
    const next = optimizer.update(params, tape.gradient(loss, watched));
    expect(next.w.item()).toBe(-3);
    expect(tape.gradient(loss, watched).w.item()).toBe(6);
  });

  test("are untouched when anything throws, in a chain too", () => {
    const broken: GradientTransformation<object> = {
      init: () => ({}),
      update: () => {
        throw new Error("mine");
      },
    };
    for (const [, make] of each) {
      const params = { a: vector(1), b: vector(2, 3) };
      const optimizer = make();
      const state = optimizer.init(params);
      const before = JSON.stringify(tree.leavesWithPath(state).map(([, x]) => x.toArray()));
      const update = (a: Tensor, b: Tensor) => () => optimizer.update({ a, b }, state, params);
      expect(update(vector(1), vector(1))).toThrow(RangeError);
      expect(update(vector(1), vector(1, Number.NaN))).toThrow(/"b" has 1 of 2/);
      expect(() => optimizer.update({ a: vector(1) }, state, params)).toThrow(TypeError);
      const chained = chain({ optimizer, broken });
      expect(() =>
        chained.update({ a: vector(1), b: vector(1, 1) }, { optimizer: state, broken: {} }, params),
      ).toThrow("mine");
      expect(JSON.stringify(tree.leavesWithPath(state).map(([, x]) => x.toArray()))).toBe(before);
      const updates = { a: vector(1), b: vector(1) };
      expect(() => applyUpdates(params, updates as never)).toThrow(RangeError);
      expect(params.b.toArray()).toEqual([2, 3]);
    }
  });

  test("a gradient that is the state itself, or a parameter in another place, does no harm", () => {
    const optimizer = sgd({ learningRate: 1, momentum: 0.5 });
    const params = { w: vector(1, 2) };
    const [, state] = optimizer.update({ w: vector(4, 8) }, optimizer.init(params), params);
    const [updates] = optimizer.update(state.momentum as typeof params, state, params);
    expect(updates.w.toArray()).toEqual([-6, -12]);
    const [a, b] = [vector(1), vector(10)];
    const next = applyUpdates({ a, b }, { a: b, b: a });
    expect([next.a.item(), next.b.item()]).toEqual([11, 11]);
  });
});

describe("errors are sentences", () => {
  const step = tensor(0, { dtype: "int32", backend });
  const update = (params: unknown, gradients: unknown) => () =>
    sgd({ learningRate: 1 }).update(gradients, { step }, params);

  test("of trees that do not fit", () => {
    const w = vector(1);
    expect(update({ a: w }, {})).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: sgd.update: there is no gradient for "a"; gradients must have the structure of params, as tape.gradient(loss, watched) gives them]`,
    );
    expect(update({ a: w }, { a: w, "b.c": w })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: sgd.update: there is a gradient at "b.c" and no parameter; gradients must have the structure of params]`,
    );
    expect(update({ a: [w] }, { a: [vector(1, 2)] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sgd.update: "a.0" is float64 [1] and its gradient float64 [2]; both must have one shape and dtype]`,
    );
    expect(update(w, tensor([1], { backend }))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sgd.update: the parameter is float64 [1] and its gradient float32 [1]; both must have one shape and dtype]`,
    );
    expect(
      update(
        { a: w },
        {
          a: tensor([1], {
            dtype: "float64",
            backend: createBackend({ kernels: referenceKernels }),
          }),
        },
      ),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: sgd.update: "a" and its gradient belong to different backends]`,
    );
    expect(update({ a: w, b: w }, { a: w, b: w })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: sgd.update: one tensor stands at "a" and at "b"; keep a shared parameter in one place and use it twice]`,
    );
  });

  test("of states that do not fit", () => {
    const optimizer = adam();
    const params = { a: vector(1), b: vector(1) };
    const gradients = () => ({ a: vector(1), b: vector(1) });
    const state = optimizer.init(params);
    const given = (other: object) => () =>
      optimizer.update(gradients(), { ...state, ...other } as never, params);
    expect(given({ step: undefined })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adam.update: the state's step must be an int32 scalar, got nothing; pass what init(params), or the update before, returned]`,
    );
    expect(given({ step: vector(1) })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adam.update: the state's step must be an int32 scalar, got Tensor float64 [1]; pass what init(params), or the update before, returned]`,
    );
    expect(given({ m: { a: vector(1) } })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adam.update: the state's m of "b" must be float64 [1] like the parameter, on its backend, got nothing; pass what init(params), or the update before, returned]`,
    );
    expect(given({ rms: { a: vector(1), b: vector(1, 2) } })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adam.update: the state's rms of "b" must be float64 [1] like the parameter, on its backend, got float64 [2]; pass what init(params), or the update before, returned]`,
    );
    expect(() =>
      optimizer.update(gradients(), undefined as never, params),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adam.update: the state's m of "a" must be float64 [1] like the parameter, on its backend, got nothing; pass what init(params), or the update before, returned]`,
    );
    expect(() =>
      chain({ adam: optimizer }).update(gradients(), {} as never, params),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: chain.update: the state has no "adam"; pass what init(params), or the update before, returned]`,
    );
    expect(() => chain({})).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chain: expected at least one link, got none]`,
    );
    expect(() => chain({ adam: adam as never })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: chain: "adam" must be a transformation with init and update, such as adam({ learningRate: 0.001 }), got function]`,
    );
    expect(state.step.item()).toBe(0);
  });

  test("of gradients that are not finite", () => {
    expect(update({ a: vector(1) }, { a: vector(Infinity) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sgd.update: the gradient of "a" has 1 of 1 elements that are NaN or infinite; lower the learning rate, look for where they arise, or set them to 0 with a clip function and { nonFinite: "zero" } before it]`,
    );
  });

  test("of options and schedules", () => {
    expect(() => sgd({ learningRate: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sgd: learningRate must be a finite number of at least 0 or a schedule, got -1]`,
    );
    expect(() => adam({ lr: 0.1 } as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adam: there is no option "lr", did you mean "learningRate"? It takes learningRate, beta1, beta2, epsilon, weightDecay, amsgrad]`,
    );
    expect(() => sgd({ learningRate: 1, nesterov: true })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sgd: nesterov needs momentum above 0 and no dampening, got momentum 0 and dampening 0]`,
    );
    expect(() => sgd({ learningRate: 1, momentum: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sgd: momentum must be a finite number of at least 0, got -1]`,
    );
    expect(() => adam({ beta1: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam: beta1 must be a finite number of at least 0 and below 1, got 1]`,
    );
    expect(() => adamW({ weightDecay: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adamW: weightDecay must be a finite number of at least 0, got NaN]`,
    );
    expect(() => rmsprop({ epsilon: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: rmsprop: epsilon must be a finite number of at least 0, got -1]`,
    );
    expect(() => adagrad({ initialAccumulator: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adagrad: initialAccumulator must be a finite number of at least 0, got -1]`,
    );
    const broken = adam({ learningRate: () => Number.NaN });
    const w = vector(1);
    expect(() => broken.update(vector(1), broken.init(w), w)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam: the schedule gave a learning rate of NaN at step 0, expected a finite number of at least 0]`,
    );
  });
});

describe("applyUpdates", () => {
  test("consumes the parameters, leaves integers, and lives longer than a window", () => {
    const old = { w: tensor([1, 2]), labels: tensor(Int32Array.of(3)) };
    const updates = { w: tensor([10, 20]), labels: tensor(Int32Array.of(0)) };
    const next = applyUpdates(old, updates);
    expect(next.w.toArray()).toEqual([11, 22]);
    expect(next.labels).toBe(old.labels);
    expect(() => old.w.add(1)).toThrow(/applyUpdates consumed it/);
  });

  test("takes a tensor at one place only", () => {
    const w = vector(1);
    expect(() =>
      applyUpdates({ a: w, b: w }, { a: vector(1), b: vector(1) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: applyUpdates: one tensor stands at "a" and at "b"; keep a shared parameter in one place and use it twice]`,
    );
    expect(w.item()).toBe(1);
  });

  test("throws for another shape, naming the path, and consumes nothing", () => {
    const params = { layer: { w: tensor([1, 2]) } };
    expect(() =>
      applyUpdates(params, { layer: { w: tensor(1) } }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: applyUpdates: "layer.w" is float32 [2] and its update float32 []; both must have one shape and dtype]`,
    );
    expect(params.layer.w.toArray()).toEqual([1, 2]);
  });
});
