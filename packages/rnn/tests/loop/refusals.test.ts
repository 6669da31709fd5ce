import { concat, grad, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { defineCell, elman, initialParams, minGru, unroll } from "../../src/index.ts";
import { normal, said } from "../models/setup.ts";

const float64 = { dtype: "float64" } as const;
const sizes = { input: 2, hidden: 3 };
const cell = elman(sizes);
const params = initialParams(cell, rng(1), float64);
const xs = normal([5, 2, 2], 1);

test("budgets that make no sense", () => {
  const memories: unknown[] = [
    { steps: 0 },
    { steps: -1 },
    { steps: 1.5 },
    { steps: Number.NaN },
    { steps: "3" },
    { steps: 2 ** 60 },
    { bytes: 0 },
    { bytes: -1 },
    { bytes: Infinity },
    { bytes: "10MB" },
    { bytes: null },
    {},
    { steps: 1, bytes: 1 },
    { step: 1 },
    [1],
    "10MB",
    "none",
    null,
    5,
    true,
  ];
  const errors = memories.map((memory) =>
    said(() => unroll(cell, params, xs, { memory } as never)),
  );
  expect(errors).toMatchInlineSnapshot();
});

test("options that do not go together, or are misspelt", () => {
  const linear = minGru(sizes);
  const weights = initialParams(linear, rng(1), float64);
  const errors = [
    { compiled: true },
    { memori: "all" },
    { compile: "yes" },
    { compile: 1 },
    { compile: null },
    { parallel: true, compile: true },
    { parallel: true, memory: "all" },
    { memory: { bytes: 100 } },
  ].map((options) => said(() => unroll(linear, weights, xs, options as never)));
  expect(errors).toMatchInlineSnapshot();
});

/** A cell of one row of floats, by its step. */
function cellOf(step: (x: Tensor, h: Tensor) => readonly [Tensor, Tensor]) {
  return defineCell({
    params: () => ({ w: init.constant(0.5, 3) }),
    state: () => ({ h: init.zeros(3) }),
    step: ({ w }, x: Tensor, { h }) => {
      const [y, next] = step(x, h.mul(w));
      return [y, { h: next }];
    },
  })({ input: 3, hidden: 3 });
}

const x3 = normal([6, 2, 3], 1);
const weights = { w: tensor([0.5, 0.4, 0.3], float64) };

/** What a loop and its sweep say. */
function loop(
  own: ReturnType<typeof cellOf>,
  options: object,
  by: "outputs" | "state" = "outputs",
) {
  return said(() =>
    grad((p: typeof weights) => {
      const { outputs, state } = unroll(own, p, x3, options);
      return by === "outputs" ? outputs.sum() : state.h.sum();
    })(weights),
  );
}

test("steps that no plan can have", () => {
  const random = rng(1);
  const drawing = cellOf((x, h) => {
    const next = x.add(h).mul(random.uniform());
    return [next, next];
  });
  const reading = cellOf((x, h) => {
    const next = x.add(h.sum().item() > 0 ? h : h.neg());
    return [next, next];
  });
  const growing = cellOf((x, h) => [x, concat([h, h], 0)]);
  const narrowing = cellOf((x, h) => [x, h.cast("float32")]);
  const outside = cellOf((x, h) => [x.cast("float32"), h]);
  const errors = [drawing, reading, growing, narrowing, outside].flatMap((own) => [
    loop(own, { compile: true }),
    loop(own, { memory: "all" }),
  ]);
  expect(errors).toMatchInlineSnapshot();
});

test("a step that gives something else when it runs again is caught: by its outputs, or its state alone", () => {
  let calls = 0;
  const counting = cellOf((x, h) => {
    const next = x.add(h).add(calls++ * 1e-9);
    return [next, next];
  });
  const hidden = cellOf((x, h) => [x, x.add(h).add(calls++ * 1e-9)]);
  const shared = { value: 1 };
  const drifting = cellOf((x, h) => [x, x.add(h).mul((shared.value *= 0.999))]);
  for (const own of [counting, hidden, drifting]) {
    for (const by of ["outputs", "state"] as const) {
      if (own !== counting && by === "outputs") continue;
      for (const steps of [1, 2, 4]) {
        expect(loop(own, { memory: { steps } }, by)).toMatch(
          /^Error: unroll: step \d gave (another state|other outputs|.*) when it was run again for the gradient, so the model is not a pure function/,
        );
      }
      // Nothing runs again.
      expect(loop(own, { memory: "all" }, by)).toBe("nothing");
    }
  }
  expect(loop(counting, { memory: { steps: 2 } })).toMatchInlineSnapshot();
});

test("steps that are not alike", () => {
  const x = (...shape: number[]) => zeros(shape, float64);
  const pair = defineCell({
    params: () => ({ w: init.constant(0.5, 1) }),
    state: () => ({ h: init.zeros(1) }),
    step: ({ w }, { a, b }: { a: Tensor; b: Tensor }, { h }) => {
      const next = h.mul(w).add(a).add(b);
      return [next, { h: next }];
    },
  })({ input: 1, hidden: 1 });
  const own = initialParams(pair, rng(1), float64);
  const one = { a: x(2, 1), b: x(2, 1) };
  for (const options of [{ memory: "all" }, { compile: true }] as const) {
    const errors = [
      said(() => unroll(cell, params, [x(2, 2), x(3, 2)], options)),
      said(() => unroll(cell, params, [x(2, 2), zeros([2, 2])], options)),
      said(() => unroll(cell, params, [x(2, 2), { a: x(2, 2) }] as never, options)),
      said(() => unroll(pair, own, [one, { a: one.a }] as never, options)),
      said(() => unroll(pair, own, [one, { ...one, c: one.a }] as never, options)),
      said(() => unroll(pair, own, { a: x(4, 2, 1), b: x(5, 2, 1) }, options)),
      said(() => unroll(cell, params, [], options)),
      said(() => unroll(cell, params, x(0, 2, 2), options)),
      said(() => unroll(cell, params, 3 as never, options)),
      said(() => unroll(cell, params, xs, { ...options, state: { h: x(3, 3) } })),
      said(() => unroll(cell, params, xs.cast("float32"), options)),
    ];
    for (const error of errors) expect(error).toMatch(/^(Type|Range)Error: unroll: /);
    expect(errors).toMatchInlineSnapshot();
  }
});
