import { createBackend, grad, scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { init, rng } from "@chronograd/nn";
import { afterEach, expect, test, vi } from "vitest";
import { defineCell, gru, initialParams, truncated, unroll } from "../../src/index.ts";
import { normal } from "../models/setup.ts";
import { distance, numbers } from "../truncated/setup.ts";

afterEach(() => vi.restoreAllMocks());

const sizes = { input: 2, hidden: 3 };

/** How many WebAssembly modules a call makes. */
function modules(call: () => void): number {
  const { Module } = WebAssembly;
  let made = 0;
  vi.stubGlobal("WebAssembly", {
    ...Object.fromEntries(
      Object.getOwnPropertyNames(WebAssembly).map((name) => [
        name,
        (WebAssembly as unknown as Record<string, unknown>)[name],
      ]),
    ),
    Module: new Proxy(Module, {
      construct(target, args) {
        made++;
        return Reflect.construct(target, args) as object;
      },
    }),
  });
  try {
    call();
  } finally {
    vi.unstubAllGlobals();
  }
  return made;
}

function subject() {
  const cell = gru(sizes);
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const step = (T: number, B = 2, options: object = {}) =>
    scope(() =>
      numbers(
        grad((p: typeof params) =>
          unroll(cell, p, normal([T, B, 2], T), { compile: true, ...options })
            .outputs.square()
            .sum(),
        )(params),
      ),
    );
  return { cell, params, step };
}

test("a plan is made once for a cell and shapes: another T makes none, nor does another call", () => {
  const { step } = subject();
  expect(modules(() => step(37))).toBeGreaterThan(0);
  for (const T of [37, 1, 4, 16, 17, 100, 500]) expect([T, modules(() => step(T))]).toEqual([T, 0]);
  expect(modules(() => step(37, 2, { memory: { steps: 2 } }))).toBe(0);
  expect(modules(() => step(37, 2, { memory: { bytes: 2 ** 22 } }))).toBe(0);
  // Other rows are other shapes, and another direction is another plan.
  expect(modules(() => step(37, 3))).toBeGreaterThan(0);
  expect(modules(() => step(37, 3))).toBe(0);
  expect(modules(() => step(37, 2, { reverse: true }))).toBeGreaterThan(0);
  expect(modules(() => step(37, 2, { reverse: true }))).toBe(0);
});

test("another backend, dtype or structure has plans of its own, and each is right", () => {
  const { cell, params } = subject();
  const other = createBackend({ kernels: referenceKernels });
  const xs = normal([9, 2, 2], 1);
  const on = (x: Tensor, dtype: "float32" | "float64", backend = x.backend) =>
    tensor(x.toTypedArray(), { shape: x.shape, backend, dtype });
  for (const [dtype, backend, bound] of [
    ["float64", xs.backend, 1e-12],
    ["float64", other, 1e-12],
    ["float32", xs.backend, 1e-4],
    ["float32", other, 1e-4],
    ["float64", xs.backend, 1e-12],
  ] as const) {
    const p = tree.map(params, (x: Tensor) => on(x, dtype, backend)) as typeof params;
    const x = on(xs, dtype, backend);
    const gradient = (compile: boolean) =>
      numbers(grad((q: typeof p) => unroll(cell, q, x, { compile }).outputs.square().sum())(p));
    expect(distance(gradient(true), gradient(false))).toBeLessThan(bound);
  }
});

test("one tensor at two places has one gradient, and a plan of its own", () => {
  const cell = defineCell({
    params: () => ({ a: init.constant(0.3, 2, 2), b: init.constant(0.3, 2, 2) }),
    state: () => ({ h: init.zeros(2), c: init.zeros(2) }),
    step: ({ a, b }, x: Tensor, { h, c }) => {
      const next = h.matmul(a).add(x.matmul(b)).tanh();
      return [next.add(c), { h: next, c: c.mul(0.5).add(next) }];
    },
  })({ input: 2, hidden: 2 });
  const [one, two] = [normal([2, 2], 1), normal([2, 2], 2)];
  const xs = normal([21, 3, 2], 3);
  const state = normal([3, 2], 4);
  for (const [a, b] of [
    [one, one],
    [one, two],
    [two, two],
  ] as const) {
    for (const isTied of [false, true]) {
      const gradient = (options: object) =>
        numbers(
          grad((x: { a: Tensor; b?: Tensor; h: Tensor }) => {
            const p = { a: x.a, b: x.b ?? x.a };
            const start = isTied ? { h: x.h, c: x.h } : { h: x.h, c: state };
            const found = unroll(cell, p, xs, { state: start, ...options });
            return found.outputs.square().sum().add(found.state.c.sum());
          })({ a, ...(a !== b && { b }), h: state }),
        );
      const plain = gradient({});
      for (const options of [
        { compile: true },
        { memory: { steps: 3 } },
        { compile: true, memory: { bytes: 2 ** 22 } },
      ] as const) {
        expect(distance(gradient(options), plain)).toBeLessThan(1e-12);
      }
    }
  }
  // On no tape too, where chunks are measured first.
  const tied = { h: state, c: state };
  const outputs = (options: object) =>
    numbers(unroll(cell, { a: one, b: two }, xs, { state: tied, ...options }).outputs);
  const measured = outputs({ compile: true, memory: { bytes: 2 ** 24 } });
  expect(distance(measured, outputs({}))).toBeLessThan(1e-12);
});

/** Scales by a number from outside of the step. */
function scaled() {
  let scale = 0.5;
  const cell = defineCell({
    params: () => ({ w: init.constant(0.3, 1) }),
    state: () => ({ h: init.zeros(1) }),
    step: ({ w }, x: Tensor, { h }) => {
      const next = h.mul(w).add(x).mul(scale).tanh();
      return [next, { h: next }];
    },
  })({ input: 1, hidden: 1 });
  return { cell, change: (to: number) => (scale = to) };
}

test("a model that changed is refused within the schedule of checks, and recorded anew", () => {
  const { cell, change } = scaled();
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const x = normal([40, 1, 1], 1);
  const run = () => scope(() => numbers(unroll(cell, params, x, { compile: true })));
  for (let n = 0; n < 20; n++) run();
  change(0.75);
  let said = "";
  // Checks are at most 256 runs of a plan apart, and a call has some.
  for (let n = 0; n < 600 && said === ""; n++) {
    try {
      run();
    } catch (error) {
      said = String(error);
    }
  }
  expect(said).toMatchInlineSnapshot(
    `"Error: unroll: the model is not what compile: true recorded, since it takes something from outside that has changed: float64.scale took the number 0.5 and now 0.75; give it as part of the parameters, the inputs or the context, or leave compile out"`,
  );
  const plain = scope(() => numbers(unroll(cell, params, x)));
  expect(distance(run(), plain)).toBeLessThan(1e-12);
});

test("streams share plans with nobody they should not: both are right side by side", () => {
  const { cell, params, step } = subject();
  const before = step(20);
  const steps = Array.from({ length: 40 }, (_, t) => ({ input: normal([2, 2], t), target: null }));
  const loss = (y: Tensor) => y.square();
  const windows = (compile: boolean) =>
    Array.from(truncated(cell, params, steps, { k1: 4, k2: 8, compile, loss }), (w) =>
      numbers(w.gradients),
    );
  const [planned, plain] = [windows(true), windows(false)];
  for (const [j, window] of planned.entries()) {
    expect(distance(window, plain[j]!)).toBeLessThan(1e-11);
  }
  expect(step(20)).toEqual(before);
});

test("a budget is kept after the plans that were measured have given way to others", () => {
  const { cell, params } = subject();
  const { memory } = normal([1], 1).backend;
  const x = normal([40, 2, 2], 1);
  const swept = (options: object) =>
    scope(() => {
      const before = memory.bytesInUse;
      const peak = memory.peakDuring(() => {
        grad((p: typeof params) => unroll(cell, p, x, options).outputs.sum())(params);
      });
      return peak - before;
    });
  const least = () => {
    try {
      swept({ compile: true, memory: { bytes: 1 } });
    } catch (error) {
      return Number(/needs \{ bytes: (\d+) \}/.exec(String(error))?.[1]);
    }
    return Number.NaN;
  };
  least();
  const bytes = least();
  // The cotangent of the sum is broadcast, and takes no more than the outputs.
  const own = 2 * 40 * 2 * 3 * 8;
  expect(swept({ compile: true, memory: { bytes } })).toBeLessThanOrEqual(bytes + own);
  // Many others, none of them measured.
  for (let B = 3; B < 40; B++) {
    scope(() => {
      const other = normal([40, B, 2], B);
      grad((p: typeof params) => unroll(cell, p, other, { compile: true }).outputs.sum())(params);
    });
  }
  let taken: number | undefined;
  try {
    taken = swept({ compile: true, memory: { bytes } });
  } catch (error) {
    expect(String(error)).toMatch(/is less than this model takes/);
  }
  if (taken !== undefined) expect(taken).toBeLessThanOrEqual(bytes + own);
});

test("what is no tensor in an output stays as it is", () => {
  const cell = defineCell({
    params: () => ({ w: init.constant(2, 1) }),
    state: () => ({ h: init.zeros(1) }),
    step: ({ w }, x: Tensor, { h }) => {
      const next = h.add(x).mul(w);
      return [{ name: "h", y: next, none: null, order: 1 }, { h: next }];
    },
  })({ input: 1, hidden: 1 });
  const params = initialParams(cell, rng(1));
  const xs = tensor([1, 1], { shape: [2, 1, 1] });
  for (const options of [{}, { memory: "all" }, { compile: true }] as const) {
    const { outputs } = unroll(cell, params, xs, options);
    expect({ ...outputs, y: outputs.y.toArray() }).toEqual({
      ...{ name: "h", none: null, order: 1 },
      y: [[[2]], [[6]]],
    });
  }
});
