import { scope, type Tensor, tensor } from "@chronograd/autodiff";
import { liveView } from "@chronograd/autodiff/ndarray";
import { rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { elman, initialParams, type TruncatedOptions, truncated } from "../../src/index.ts";

const f64 = { dtype: "float64" } as const;
const loss = (y: Tensor, target: Tensor) => y.mean(-1, { keepDims: true }).sub(target).square();

/** A stream of 40 steps; `change` is told of each step as it is asked for, and of each window. */
function run(
  options: Pick<TruncatedOptions<unknown>, "k1" | "k2" | "compile" | "stale">,
  change: (inputs: readonly Tensor[], targets: readonly Tensor[], t: number) => void,
  isShared: boolean,
) {
  const cell = elman({ input: 1, hidden: 2 });
  const params = initialParams(cell, rng(1), f64);
  const make = (t: number) => tensor([[Math.sin(t)]], f64);
  const first = make(0);
  const inputs = Array.from({ length: 40 }, (_, t) => (isShared ? first : make(t)));
  const targets = Array.from({ length: 40 }, (_, t) => (isShared ? first : make(t + 1)));
  function* steps() {
    for (let t = 0; t < 40; t++) {
      if (isShared) change(inputs, targets, t);
      yield { input: inputs[t]!, target: targets[t]! };
    }
  }
  for (const window of truncated(cell, params, steps(), { ...options, loss })) {
    if (!isShared) change(inputs, targets, window.end);
  }
}

const write = (x: Tensor, t: number) => liveView(x).set(0, 0, Math.cos(t));

test("a tensor that every step shares, and that changes, is refused where steps are read late", () => {
  const change = (inputs: readonly Tensor[], _: readonly Tensor[], t: number) =>
    write(inputs[0]!, t);
  expect(() =>
    run({ k1: 4, k2: 4, compile: true }, change, true),
  ).toThrowErrorMatchingInlineSnapshot(
    `[Error: truncated: a value of step 1 was changed through a live view after the step had come; yield tensors of its own with each step, such as clone(x)]`,
  );
  expect(() => run({ k1: 2, k2: 4, stale: "recompute" }, change, true)).toThrow(
    /a value of step 1 was changed through a live view/,
  );
});

test("an input or a target that changes after its window is refused where it is read again", () => {
  for (const which of [0, 1]) {
    const change = (...[inputs, targets, t]: Parameters<Parameters<typeof run>[1]>) => {
      if (t === 20) write((which === 0 ? inputs : targets)[18]!, t);
    };
    for (const options of [
      { k1: 4, k2: 8, compile: true },
      { k1: 4, k2: 8, stale: "recompute" as const },
    ]) {
      expect(() => run(options, change, false)).toThrow(
        /a value of step 19 was changed through a live view/,
      );
    }
  }
});

test("values that do not change are taken", () => {
  run({ k1: 4, k2: 8, compile: true }, () => {}, false);
  run({ k1: 4, k2: 8, stale: "recompute" }, () => {}, false);
});

test("a value that is gone is told by its step and its name", () => {
  const params = initialParams(elman({ input: 1, hidden: 2 }), rng(1), f64);
  let kept!: Tensor;
  scope(() => {
    kept = tensor([[1]], f64);
  });
  const input = tensor([[1]], f64);
  const steps = Array.from({ length: 8 }, (_, t) => ({ input, target: t === 5 ? kept : input }));
  const windows = truncated(elman({ input: 1, hidden: 2 }), params, steps, {
    k1: 4,
    k2: 4,
    compile: true,
    loss,
  });
  expect(() => Array.from(windows)).toThrowErrorMatchingInlineSnapshot(
    `[Error: truncated: the target of step 6 is gone: the scope it was made in has ended; return it from the scope to keep it; yield tensors of its own with each step, such as clone(x)]`,
  );
});
