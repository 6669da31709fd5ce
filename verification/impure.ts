import { compile, concat, grad, scope, type Tensor, tensor } from "@chronograd/autodiff";
import { liveView } from "@chronograd/autodiff/ndarray";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { type CountedLoss, elman, initialParams, truncated } from "@chronograd/rnn";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";
import { between, oneOf } from "./truncation/problem.ts";

/** A loss, and a change of something that it takes from outside. */
interface Impure {
  readonly what: string;
  readonly loss: (y: Tensor, target: Tensor) => Tensor | CountedLoss;
  readonly change: () => void;
}

const squares = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();

/** One of each kind; `element` says which of three numbers changes. */
function impurities(element: number): Impure[] {
  let [weight, zero, isSmooth, count, rows] = [1, 0, true, 2, 1];
  const ones = (): Float64Array => new Float64Array(3).fill(1);
  const changed = ones();
  changed[element] = 1 + 2 ** -50;
  let [mask, counted] = [tensor(ones()), tensor(2)];
  return [
    {
      what: "a number",
      loss: (y, x) => squares(y, x).mul(weight),
      change: () => {
        weight = 2;
      },
    },
    {
      what: "the sign of zero",
      loss: (y, x) => squares(y, x).add(zero),
      change: () => {
        zero = -0;
      },
    },
    {
      what: "a switch",
      loss: (y, x) => (isSmooth ? squares(y, x) : y.sub(x).abs()),
      change: () => {
        isSmooth = false;
      },
    },
    {
      what: "an element of a constant",
      loss: (y, x) => squares(y, x).mul(mask),
      change: () => {
        mask = tensor(changed);
      },
    },
    {
      what: "a count",
      loss: (y, x) => ({ loss: squares(y, x), count }),
      change: () => {
        count = 3;
      },
    },
    {
      what: "a count that is a tensor",
      loss: (y, x) => ({ loss: squares(y, x), count: counted }),
      change: () => {
        counted = tensor(3);
      },
    },
    {
      what: "the size of the loss",
      loss: (y, x) => concat(Array.from({ length: rows }, () => squares(y, x))),
      change: () => {
        rows = 2;
      },
    },
  ];
}

/**
 * Runs a stream whose loss changes at a window; the windows that were yielded after it, or -1 if
 * all were.
 */
function windowsAfter({ loss, change }: Impure, at: number, windows: number, doesCompile: boolean) {
  const cell = elman({ input: 1, hidden: 3 });
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const step = {
    input: tensor(Float64Array.of(1), { shape: [1, 1] }),
    target: tensor(Float64Array.of(0.1, 0.2, 0.3), { shape: [1, 3] }),
  };
  const steps = Array.from({ length: 2 * windows }, () => step);
  const losses: number[] = [];
  try {
    for (const window of truncated(cell, params, steps, {
      k1: 2,
      k2: 4,
      loss,
      compile: doesCompile,
      reduction: "mean",
    })) {
      losses.push(window.loss);
      if (window.index === at) change();
    }
  } catch {
    return { losses, after: losses.length - 1 - at };
  }
  return { losses, after: -1 };
}

const streams: Law = {
  name: "refuses what changes outside",
  statement:
    "a compiled stream throws at most 256 chunks after what its loss takes from outside has changed, and a stream that is not compiled takes it in at once",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "impure");
    const element = between(random, 0, 2);
    for (const kind of impurities(element).keys()) {
      const at = between(random, 0, 60);
      const windows = at + oneOf(random, [between(random, 2, 9), between(random, 258, 290)]);
      const draw = () => impurities(element)[kind]!;
      scope(() => {
        const { after } = windowsAfter(draw(), at, windows, true);
        tally.check(
          after >= 0 && after <= 256,
          () => `${draw().what}: thrown ${after} windows later`,
        );
        const plain = windowsAfter(draw(), at, windows, false).losses;
        const changed = draw();
        changed.change();
        const all = windowsAfter({ ...changed, change: () => {} }, at, windows, false).losses;
        tally.bits(plain.slice(at + 1), all.slice(at + 1), `${changed.what}: losses after it`);
      });
    }
    return tally;
  },
};

const functions: Law = {
  name: "numbers of a plan",
  statement:
    "a compiled function keeps infinities, NaN, 0 and -0 apart, in loops, arguments and sums of cotangents",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "numbers");
    const numbers = [Infinity, -Infinity, Number.NaN, 0, -0, random.normal()];
    // The sums keep the loops apart.
    const scaled = (x: Tensor) =>
      numbers.flatMap((c) => {
        const y = x.abs().mul(c);
        return [y, y.sum()];
      });
    const reciprocal = (x: Tensor, c: number) => x.mul(c).reciprocal();
    // Cotangents that arrive part by part, each a sum that begins with 0.
    const parts = (x: Tensor, scale: Tensor) =>
      grad((y: Tensor) => {
        const [a, b] = y.split(2, -1);
        return a!.mul(scale).sum().add(b!.tanh().mul(scale).sum());
      })(x);
    scope(() => {
      const x = tensor(Float64Array.of(0, -0, 1, -2));
      const list = (ys: readonly Tensor[]) => ys.flatMap((y) => [...y.toTypedArray()]);
      tally.bits(list(compile(scaled)(x)), list(scaled(x)), "products with several numbers");
      const [fast, slow] = [compile(reciprocal), reciprocal].map((f) =>
        list(numbers.map((c) => f(x, c))),
      );
      tally.bits(fast!, slow!, "a number as an argument");
      const zeros = tensor(Float64Array.of(0, -0, random.normal(), -0));
      const given = [tensor(new Float64Array(8)), zeros] as const;
      tally.bits(list([compile(parts)(...given)]), list([parts(...given)]), "a sum with -0");
    });
    return tally;
  },
};

const closures: Law = {
  name: "closures of a plan",
  statement:
    "a compiled function has the derivative by a tracked value that it closes over, tells one argument from two that are equal, and a stream refuses a step that changed since it came",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "closures");
    scope(() => {
      const draw = () => tensor(Float64Array.from({ length: 3 }, () => random.normal()));
      const [x, y] = [draw(), draw()];
      let w = draw();
      const weighted = compile((z: Tensor) => z.mul(w).sum());
      const gradient = grad((v: Tensor) => {
        w = v;
        return weighted(x);
      })(y);
      tally.bits([...gradient.toTypedArray()], [...x.toTypedArray()], "the gradient by a closure");
      const same = compile((a: Tensor, b: Tensor) => (a === b ? a.square() : a.mul(b).neg()));
      for (const [a, b] of [
        [x, y],
        [x, x],
      ] as const) {
        const expected = a === b ? a.square() : a.mul(b).neg();
        tally.bits([...same(a, b).toTypedArray()], [...expected.toTypedArray()], "two arguments");
      }
      for (const options of [{ compile: true }, { stale: "recompute" as const }]) {
        const what = "compile" in options ? "compiled" : "recomputed";
        tally.check(throwsWhenChanged(options), () => `${what}: a changed step is not refused`);
      }
    });
    return tally;
  },
};

/** Whether a stream throws whose steps all share a target that changes. */
function throwsWhenChanged(options: { compile?: boolean; stale?: "recompute" }): boolean {
  const cell = elman({ input: 1, hidden: 3 });
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const input = tensor(Float64Array.of(1), { shape: [1, 1] });
  const target = tensor(new Float64Array(3), { shape: [1, 3] });
  function* steps() {
    for (let t = 0; t < 12; t++) {
      liveView(target).set(0, 0, t);
      yield { input, target };
    }
  }
  try {
    for (const _ of truncated(cell, params, steps(), { k1: 2, k2: 4, loss: squares, ...options }));
  } catch {
    return true;
  }
  return false;
}

/** A replay does what the function would do now, or it is refused. */
export function impureSubject(): Subject {
  return {
    name: "plans of what is not pure",
    group: "truncated streams",
    laws: [streams, functions, closures],
  };
}
