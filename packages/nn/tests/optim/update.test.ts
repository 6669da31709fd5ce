import { clone, createBackend, Tape, tensor, zeros } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { describe, expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  applyUpdates,
  clipByGlobalNorm,
  cosineDecay,
  plateau,
  rmsprop,
  sgd,
} from "../../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });
const float64 = { dtype: "float64", backend } as const;
const vector = (...values: number[]) => tensor(values, float64);

const makers = {
  sgd: () => sgd({ learningRate: 0.1, momentum: 0.9 }),
  rmsprop: () => rmsprop({ centered: true, momentum: 0.5 }),
  adagrad: () => adagrad({ learningRate: 1 }),
  adam: () => adam({ learningRate: 0.1, amsgrad: true }),
  adamW: () => adamW({ learningRate: 0.1 }),
};
const each = Object.entries(makers);

test.each(each)("%s reaches the minimum of a parabola", (_name, make) => {
  const optimizer = make();
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
  const whole = make();
  const parts = make();
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
    expect(make().update(w, tensor([1, -1], { backend })).dtype).toBe("float32");
    const tree = {
      layers: [{ W: zeros([2, 3], { backend }) }, { W: zeros([0, 3], { backend }), note: "text" }],
    };
    const next = make().update(tree, {
      layers: [{ W: zeros([2, 3], { backend }) }, { W: zeros([0, 3], { backend }), note: "text" }],
    });
    expect(next.layers.map(({ W }) => W.shape)).toEqual([
      [2, 3],
      [0, 3],
    ]);
    expect(next.layers[1]!.note).toBe("text");
  },
);

test("gradients are left as they are, clipped ones are taken as they come", () => {
  const g = { w: vector(3, 4) };
  const clipped = clipByGlobalNorm(g, 1);
  const next = sgd({ learningRate: 1, weightDecay: 0.5 }).update({ w: vector(0, 0) }, clipped);
  expect(next.w.toArray()).toEqual([expect.closeTo(-0.6, 14), expect.closeTo(-0.8, 14)]);
  expect(g.w.toArray()).toEqual([3, 4]);
});

test("int32 tensors and what is no tensor are passed on as they are", () => {
  const order = tensor([1, 2], { dtype: "int32", backend });
  const params = { w: vector(1), order, name: "text" };
  const next = sgd({ learningRate: 1 }).update(params, { w: vector(1), order, name: "text" });
  expect(next.order).toBe(order);
  expect(order.toArray()).toEqual([1, 2]);
  expect(next.name).toBe("text");
});

describe("schedules", () => {
  test("step 0 is the first update, and learningRate is that of the next one", () => {
    const seen: number[] = [];
    const rate = cosineDecay({ initial: 1, steps: 2 });
    const optimizer = sgd({
      learningRate: (step) => {
        seen.push(step);
        return rate(step);
      },
    });
    let w = vector(0);
    for (let i = 0; i < 3; i++) w = optimizer.update(w, vector(1));
    expect(w.item()).toBeCloseTo(-1.5, 14);
    expect(seen).toEqual([0, 1, 2]);
    expect([optimizer.step, optimizer.learningRate]).toEqual([3, 0]);
  });

  test("a plateau is a schedule", () => {
    const learningRate = plateau({ initial: 1, factor: 0.5, patience: 0 });
    const optimizer = adam({ learningRate });
    expect(optimizer.learningRate).toBe(1);
    learningRate.report(1);
    learningRate.report(1);
    expect(optimizer.learningRate).toBe(0.5);
  });
});

describe("consumed parameters", () => {
  test("are gone, with the reason; clones are not", () => {
    const params = { w: vector(1) };
    const kept = clone(params.w);
    const optimizer = sgd({ learningRate: 1 });
    optimizer.update(params, { w: vector(1) });
    expect(() => params.w.toArray()).toThrowErrorMatchingInlineSnapshot(
      `[Error: toTypedArray: Tensor float64 [1] is gone: optimizer.update consumed it; use what that call returned, or pass clone(...) to keep the old value]`,
    );
    expect(() => optimizer.update(params, { w: vector(1) })).toThrowErrorMatchingInlineSnapshot(
      `[Error: sgd.update: "w" is gone: optimizer.update consumed it; use what that call returned, or pass clone(...) to keep the old value]`,
    );
    expect(kept.item()).toBe(1);
  });

  test("live on for the tapes that recorded them", () => {
    const optimizer = sgd({ learningRate: 1 });
    const tape = new Tape();
    const params = { w: vector(3) };
    const watched = tape.watch(params);
    const loss = watched.w.square().sum();
    const next = optimizer.update(params, tape.gradient(loss, watched));
    expect(next.w.item()).toBe(-3);
    expect(tape.gradient(loss, watched).w.item()).toBe(6);
  });

  test("are untouched when update throws, and so is the optimizer", () => {
    for (const [, make] of each) {
      const optimizer = make();
      const params = { a: vector(1), b: vector(2, 3) };
      expect(() => optimizer.update(params, { a: vector(1), b: vector(1) })).toThrow(RangeError);
      expect(() => optimizer.update(params, { a: vector(1) } as never)).toThrow(TypeError);
      expect(optimizer.step).toBe(0);
      const once = make().update(
        { a: vector(1), b: vector(2, 3) },
        { a: vector(1), b: vector(1, 1) },
      );
      const next = optimizer.update(params, { a: vector(1), b: vector(1, 1) });
      expect(next.b.toArray()).toEqual(once.b.toArray());
    }
  });
});

describe("errors are sentences", () => {
  const update = (params: unknown, gradients: unknown) => () =>
    sgd({ learningRate: 1 }).update(params, gradients as never);

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
    expect(update({ a: new Tape().watch(w) }, { a: w })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: sgd.update: "a" is tracked by a tape; pass the params that were given to tape.watch(...), not what it returned]`,
    );
  });

  test("of parameters that change between updates", () => {
    const optimizer = adam();
    optimizer.update({ a: vector(1), b: vector(1) }, { a: vector(1), b: vector(1) });
    const again = (tree: () => object) => () => optimizer.update(tree(), tree());
    expect(again(() => ({ a: vector(1) }))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adam.update: "b" was among the parameters of the updates before and is missing now; make an optimizer for each params tree, or reset() this one]`,
    );
    expect(again(() => ({ a: vector(1), c: vector(1) }))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adam.update: "c" was not among the parameters of the updates before; make an optimizer for each params tree, or reset() this one]`,
    );
    expect(again(() => ({ a: vector(1, 2), b: vector(1) }))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adam.update: "a" is Tensor float64 [2], and in the updates before it was Tensor float64 [1], on the same backend; make an optimizer for each params tree, or reset() this one]`,
    );
    expect(optimizer.step).toBe(1);
  });

  test("of options and schedules", () => {
    expect(() => sgd({ learningRate: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sgd: learningRate must be a finite number of at least 0 or a schedule, got -1]`,
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
    expect(() => broken.update(vector(1), vector(1))).toThrowErrorMatchingInlineSnapshot(
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

  test("throws for another shape, naming the path, and consumes nothing", () => {
    const params = { layer: { w: tensor([1, 2]) } };
    expect(() => applyUpdates(params, { layer: { w: tensor(1) } })).toThrow(
      'applyUpdates: the update at "layer.w" must have shape [2], got []',
    );
    expect(params.layer.w.toArray()).toEqual([1, 2]);
  });
});
