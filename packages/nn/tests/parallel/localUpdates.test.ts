import {
  compile,
  createBackend,
  ones,
  scope,
  type Tensor,
  tensor,
  valueAndGrad,
} from "@chronograd/autodiff";
import { describe, expect, test } from "vitest";
import { adam, applyUpdates, rng, selfCommunicator, sgd } from "../../src/index.ts";
import { runWorkers } from "../../src/node.ts";
import { type LocalUpdatesOptions, localUpdates } from "../../src/parallel.ts";
import { failure } from "./conformance.ts";
import { begin, type Given, nesterov, type Quadratic, type Run, rate } from "./localTasks.ts";

const module = new URL("./localTasks.ts", import.meta.url);
const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);

const random = rng(seed, "local updates");
const problems: readonly Quadratic[] = Array.from({ length: 3 }, () => ({
  a: [0.2 + 3 * random.uniform(), 0.2 + 3 * random.uniform()],
  c: [random.normal(), random.normal()],
}));

const run = <Output>(workers: number, task: Given["task"], from?: Run) => {
  const input: Given = { task, problems, ...(from && { from }) };
  return runWorkers<Output, Given>(module, { workers, input });
};

interface Laws {
  readonly each: number[][];
  readonly synchronous: number[][];
  readonly local: number[][];
  readonly alike: number[][];
}

/**
 * The parameters after each outer step, on quadratics: n updates of rate r leave
 * `(1 - r a)^n (s - c)` of `s - c`, so the change of a worker is `(1 - (1 - r a)^n) (s - c)`; the
 * outer step is Nesterov's, `b = 0.9 b + d`, `s -= 0.7 (d + 0.9 b)`.
 */
function closedForm(
  workers: number,
  updates: number,
  outerSteps: number,
  from = { s: begin, b: [0, 0] },
) {
  let { s, b } = from;
  return Array.from({ length: outerSteps }, () => {
    const d = s.map((x, i) => {
      let sum = 0;
      for (const { a, c } of problems.slice(0, workers)) {
        sum += (1 - (1 - rate * a[i]!) ** updates) * (x - c[i]!);
      }
      return sum / workers;
    });
    b = b.map((x, i) => 0.9 * x + d[i]!);
    s = s.map((x, i) => x - 0.7 * (d[i]! + 0.9 * b[i]!));
    return { s, b };
  });
}

const valuesOf = (steps: readonly { s: number[] }[]) => steps.map(({ s }) => s);

const far = (a: readonly number[][], b: readonly number[][]) =>
  Math.max(...a.flat().map((x, i) => Math.abs(x - b.flat()[i]!)));

test.each([2, 3])("%i workers follow the laws", async (workers) => {
  const found = await run<Laws>(workers, "laws");
  for (const { each, synchronous, local, alike } of found) {
    // The mean of one update each is the update of the mean.
    expect(far(each, synchronous)).toBeLessThan(1e-12);
    const outerSteps = local.filter((_, i) => i % 5 === 4);
    expect(far(outerSteps, valuesOf(closedForm(workers, 5, 8)))).toBeLessThan(1e-12);
    // After each of them all hold the same bits, and in between their own.
    expect(outerSteps).toEqual(found[0]!.local.filter((_, i) => i % 5 === 4));
    // Workers that do the same are one worker.
    expect(far(alike, alone(4, 12))).toBeLessThan(1e-12);
  }
  expect(found[1]!.local[3]).not.toEqual(found[0]!.local[3]);
});

/** One worker on the first problem, by Adam. */
function alone(updates: number, times: number): number[][] {
  const { a, c } = problems[0]!;
  const on = { dtype: "float64" } as const;
  const optimizer = sgd(nesterov);
  const local = localUpdates({ communicator: selfCommunicator, updates, optimizer });
  const inner = adam();
  let params = { w: tensor(begin, on) };
  let state = local.init(params);
  let before = inner.init(params);
  return Array.from({ length: times }, () => {
    const gradient = { w: params.w.sub(tensor(c, on)).mul(tensor(a, on)) };
    const [moved, after] = inner.update(gradient, before, params);
    before = after;
    [params, state] = local.update(applyUpdates(params, moved), state);
    return params.w.toArray() as number[];
  });
}

test("a run that stops goes on bit for bit, at an average and between two", async () => {
  const found = await run<{ whole: number[]; parts: number[][] }>(2, "resumes");
  for (const { whole, parts } of found) {
    expect(whole).toEqual(found[0]!.whole);
    expect(parts).toEqual([whole, whole]);
  }
});

test("a run of two workers goes on with one, and with three", async () => {
  const [first] = await run<Run>(2, "goes on");
  for (const workers of [1, 3]) {
    const [last] = await run<Run>(workers, "goes on", first);
    const expected = closedForm(workers, 4, 2, closedForm(2, 4, 2)[1])[1]!;
    const { params, outer } = last!;
    expect(far([params.layer.w.toArray() as number[]], [expected.s])).toBeLessThan(1e-12);
    expect(outer.step.item()).toBe(16);
  }
});

test("what is wrong on one worker is the same sentence on all, and nothing is lost", async () => {
  const [first, second] = await run<Record<string, unknown>>(2, "refusals");
  expect(second).toEqual(first);
  expect(first).toMatchInlineSnapshot(`
    {
      "a value that is no number": "worker 1 of 2: localUpdates.update: the change of "layer.w" has 2 elements that are NaN or infinite after update 1; lower the learning rate, or look for where they arise",
      "another collective": "allReduce: worker 0 of 2 came with "localUpdates.update: the change of layer.w": float64 [2] and worker 1 came with "loss": a number; every worker must call the same collectives, in the same order, with trees of the same structure, shapes and dtypes",
      "another number of updates": "localUpdates.update: all workers must have made the same number of updates, got 1 on worker 0 of 2 and 2 on worker 1; give all the same updates, and resume all from one checkpoint",
      "goes on": [
        3.5,
        -0.5,
      ],
      "other parameters": "localUpdates.update: all workers must begin with the same parameters, and worker 1 of 2 began with others than worker 0; draw them from one seed, or give communicator.broadcast(params) to init",
      "other shapes": "allReduce: worker 0 of 2 came with "localUpdates.update: the change of layer.w": float64 [2] and worker 1 came with "localUpdates.update: the change of layer.w": float64 [2,1], and they differ in 1 more place; every worker must call the same collectives, in the same order, with trees of the same structure, shapes and dtypes",
    }
  `);
});

describe("one worker", () => {
  const one = (options: Partial<LocalUpdatesOptions> = {}) =>
    localUpdates({
      communicator: selfCommunicator,
      updates: 2,
      optimizer: sgd({ learningRate: 0.5 }),
      ...options,
    });

  test("is told what does not fit", () => {
    const options: readonly object[] = [
      { updates: 0 },
      { updates: Number.NaN },
      { updates: 1.5 },
      { updates: "2" },
      { update: 2 },
      { communicator: undefined },
      { optimizer: undefined },
      { optimizer: 0.7 },
    ];
    expect(options.map((each) => failure(() => one(each)))).toMatchInlineSnapshot(`
      [
        "localUpdates: updates must be a whole number of at least 1, got 0",
        "localUpdates: updates must be a whole number of at least 1, got NaN",
        "localUpdates: updates must be a whole number of at least 1, got 1.5",
        "localUpdates: updates must be a whole number of at least 1, got "2"",
        "localUpdates: there is no option "update", did you mean "updates"? It takes communicator, updates, optimizer",
        "localUpdates: communicator must be that of this worker, such as selfCommunicator, got undefined",
        "localUpdates: optimizer must be a transformation with init and update, such as sgd({ learningRate: 0.7, momentum: 0.9, nesterov: true }), got undefined",
        "localUpdates: optimizer must be a transformation with init and update, such as sgd({ learningRate: 0.7, momentum: 0.9, nesterov: true }), got 0.7",
      ]
    `);
  });

  test("must go on with what came back", () => {
    const local = one();
    const { w, b } = { w: tensor([[1, 2]]), b: tensor([3]) };
    const state = local.init({ w, b });
    const fresh = () => local.init({ w, b });
    const [same, next] = local.update({ w, b }, state);
    expect(same).toEqual({ w, b });
    const calls = [
      () => local.update({ w, b }, state),
      () => local.update({ w }, fresh()),
      () => local.update({ w, b, more: b.clone() }, fresh()),
      () => local.update({ w: w.reshape([2]), b }, fresh()),
      () => local.update({ w: w.cast("float64"), b }, fresh()),
      () => local.update({ w, b }, undefined as never),
      () => local.update({ w, b }, { ...fresh(), step: undefined } as never),
      () => valueAndGrad((x: Tensor) => local.update({ w: x, b }, fresh())[0].w.sum())(w),
    ];
    expect(calls.map(failure)).toMatchInlineSnapshot(`
      [
        "localUpdates.update: the state's step is gone: localUpdates.update consumed it; use what that call returned, or pass clone(...) to keep the old value",
        "localUpdates.update: the state has start at "b" and params have no such value; pass what init(params), or the update before, returned",
        "localUpdates.update: the state's start of "more" must be float32 [1] like the parameter, on its backend, got nothing; pass what init(params), or the update before, returned",
        "localUpdates.update: the state's start of "w" must be float32 [2] like the parameter, on its backend, got float32 [1,2]; pass what init(params), or the update before, returned",
        "localUpdates.update: the state's start of "w" must be float64 [1,2] like the parameter, on its backend, got float32 [1,2]; pass what init(params), or the update before, returned",
        "localUpdates.update: the state's start of "w" must be float32 [1,2] like the parameter, on its backend, got nothing; pass what init(params), or the update before, returned",
        "localUpdates.update: the state's step must be an int32 scalar, got nothing; pass what init(params), or the update before, returned",
        "localUpdates.update: the parameters are tracked by a tape, and those of other workers are not; detach them",
      ]
    `);
    const [all] = local.update({ w, b }, next);
    expect(failure(() => w.sum())).toMatchInlineSnapshot(
      `"sum: argument x: Tensor float32 [1,2] is gone: localUpdates.update consumed it; use what that call returned, or pass clone(...) to keep the old value"`,
    );
    expect(all.w.toArray()).toEqual([[1, 2]]);
  });

  test("passes int32 and plain values on", () => {
    const local = one({ updates: 1 });
    const table = tensor([1, 2], { dtype: "int32" });
    const state = local.init({ w: tensor([8]), table, name: "kept" });
    const [{ w, ...others }] = local.update({ w: tensor([6]), table, name: "kept" }, state);
    expect(w.toArray()).toEqual([7]);
    expect(others).toEqual({ table, name: "kept" });
    const whole = local.update({ table }, local.init({ table }));
    expect(whole[0]).toEqual({ table });
    expect(local.update({}, local.init({}))[0]).toEqual({});
  });

  test("goes by the paths of parameters, whatever their order", () => {
    const local = one({ updates: 1 });
    const state = local.init({ a: tensor([8]), b: tensor([80]) });
    const [{ a, b }] = local.update({ b: tensor([60]), a: tensor([6]) }, state);
    expect([a.item(), b.item()]).toEqual([7, 70]);
  });

  test("keeps every bit of huge and tiny values that all hold", () => {
    const values = [3e38, -1e-38, 1e-45, 0];
    const local = one({ updates: 1, optimizer: sgd({ learningRate: 1 }) });
    const [all] = local.update(tensor(values), local.init(tensor(values)));
    expect(all.toArray()).toEqual(tensor(values).toArray());
    expect(
      failure(() => local.update(tensor([-3e38, 1]), local.init(tensor([3e38, 1])))),
    ).toMatchInlineSnapshot(
      `"localUpdates.update: the change has an element that is NaN or infinite after update 1; lower the learning rate, or look for where they arise"`,
    );
  });

  test("holds no more memory after many averages than after a few", () => {
    const backend = createBackend();
    const before = backend.memory.bytesInUse;
    const local = one({ updates: 3, optimizer: sgd(nesterov) });
    let params = { w: ones([4, 30], { backend }), b: ones([7], { backend, dtype: "float64" }) };
    let state = local.init(params);
    const marks = [20, 500].map((rounds) => {
      for (let i = 0; i < 3 * rounds; i++) {
        [params, state] = scope(() => {
          const moved = { w: params.w.mul(-0.1), b: params.b.mul(-0.1) };
          return local.update(applyUpdates(params, moved), state);
        });
      }
      return backend.memory.bytesInUse - before;
    });
    expect(marks[1]).toBe(marks[0]);
    // The parameters, their start and the momentum, but no fourth tree of that size.
    expect(marks[0]).toBeLessThan(4 * (4 * 120 + 8 * 7));
  });

  test("is not compiled, because a plan would not wait", () => {
    const local = one();
    const step = compile((w: Tensor) => local.update({ w }, local.init({ w }))[0].w.mul(2));
    expect(step(tensor([1])).toArray()).toEqual([2]);
    expect(step.explain()).toMatch(/localUpdates.update waits for other workers/);
  });
});
