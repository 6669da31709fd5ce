import { grad, jvp, scope, type Tensor, tensor, tree, vjp, zeros } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { init, type Rng, rng } from "@chronograd/nn";
import {
  defineCell,
  gru,
  initialParams,
  initialState,
  sequential,
  truncated,
  unroll,
} from "@chronograd/rnn";
import { cellTable, type SomeCell } from "@chronograd/rnn/testing";
import { contracts } from "./contracts.ts";
import { options } from "./options.ts";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";
import { between, oneOf } from "./truncation/problem.ts";

const sizes = { input: 3, hidden: 3 };
export const own = defineCell({
  params: ({ hidden }) => ({ b: init.zeros(hidden) }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ b }, x: Tensor, { h }) => {
    const next = x.add(b).add(h.mul(0.5)).tanh();
    return [next, { h: next }];
  },
})(sizes);
const vectorCells = cellTable().filter(({ isVector }) => isVector);
const cells = {
  ...Object.fromEntries(vectorCells.map(({ name, make }) => [name, make(sizes)])),
  own,
  plain: { params: own.params, state: own.state, step: own.step.bind(own) },
  sequential: sequential({ lower: own, upper: gru(sizes) }),
} as unknown as Record<string, SomeCell>;

const stales = ["carry", "recompute", "defer"] as const;
/** All ways of running a stream. */
const modes = stales.flatMap((stale) => [[stale, false] as const, [stale, true] as const]);
export const squares = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();

/** A law about refusals: it only measures whether they are thrown. */
export function law(
  name: string,
  statement: string,
  measure: (random: Rng, tally: Tally) => void,
): Law {
  return {
    name,
    statement,
    bound: 0,
    measure: (seed) =>
      scope(() => {
        const tally = new Tally();
        measure(rng(seed, name), tally);
        return tally;
      }),
  };
}

/** Runs a stream to its end; how many tokens it counts. */
function tokens(...[cell, params, steps, options]: Parameters<typeof truncated>): number {
  let count = 0;
  for (const window of truncated(cell, params, steps, options)) count += window.count;
  return count;
}

const rows = law(
  "rows",
  "a step whose input, state or target has other rows is refused, by cells, unroll and truncated; none is repeated in silence",
  (random, tally) => {
    for (const [name, cell] of Object.entries(cells)) {
      const [B, T] = [between(random, 1, 3), between(random, 1, 3)];
      const other = B === 1 ? between(random, 2, 3) : oneOf(random, [1, B + 1]);
      const at = between(random, 1, T);
      const params = initialParams(cell, random);
      const state = initialState(cell, B);
      const inputs = Array.from({ length: T }, (_, t) => zeros([t + 1 === at ? other : B, 3]));
      const where = `${name}, ${other} rows for ${B} at step ${at} of ${T}`;
      const words = new RegExp(`${at}: .*\\[${other},3\\] has ${other} rows?, and .* has ${B}; `);
      tally.throws(() => cell.step(params, zeros([other, 3]), state), / rows?, and /, where);
      tally.throws(() => unroll(cell, params, inputs, { state }), words, `unroll: ${where}`);
      const targets = inputs.map(() => zeros([B, 3]));
      const right = targets.map((input, t) => ({ input, target: targets[t]! }));
      const compile = oneOf(random, [true, false]);
      for (const stale of stales) {
        const options = { k1: 1, k2: 2, stale, compile, state, loss: squares } as never;
        const mode = `truncated, ${stale}, compile ${compile}: ${where}`;
        const wrong = inputs.map((input, t) => ({ input, target: targets[t]! }));
        tally.throws(() => tokens(cell, params, wrong, options), words, mode);
        const ofTarget = right.map((step, t) => ({ ...step, target: inputs[t]! }));
        tally.throws(() => tokens(cell, params, ofTarget, options), words, `${mode}, the target`);
        const count = tokens(cell, params, right, options);
        tally.check(count === 3 * B * T, () => `${mode}: ${count} tokens of ${3 * B * T}`);
      }
      if (name === "plain") continue;
      const axis = /the input \[3\] has no axis for rows/;
      tally.throws(() => cell.step(params, zeros([3]), initialState(cell, 3)), axis, name);
    }
  },
);

const axes = law(
  "axes of states",
  "a step that returns a state of other rows or other axes is refused; one that grows by design runs",
  (_, tally) => {
    const run = (step: (x: Tensor, h: Tensor) => Tensor) => {
      const cell = {
        ...own,
        step: ({ b }: { b: Tensor }, x: Tensor, { h }: { h: Tensor }) =>
          [b, { h: step(x, h) }] as const,
      };
      const x = zeros([2, 3]);
      return unroll(cell, initialParams(cell, rng(1)), [x, x]).state.h.shape;
    };
    tally.throws(
      () => run((_x, h) => h.sum(0, { keepDims: true })),
      /next state "h" \[1,3\] has 1 row/,
      "one row",
    );
    tally.throws(() => run((_x, h) => h.sum(1)), /next state "h" \[2\] has 1 axes/, "no columns");
    tally.throws(() => run((x, h) => x.reshape([2, 1, 3]).add(h)), /has 3 axes/, "one axis more");
    const grown = run((x, h) =>
      x
        .sum(1, { keepDims: true })
        .add(h)
        .slice([null, [0, 1]]),
    );
    tally.check(grown.join() === "2,1", () => `columns may change: [${grown}]`);
  },
);

/** Ways in which a value tracked by a surrounding tape can enter a stream. */
const ways: Record<string, (a: Tensor, k: Options, steps: Steps) => Tensor> = {
  params: (a, k, steps) =>
    last(
      own,
      tree.map(weights(), (x: Tensor) => x.add(a)),
      steps,
      k,
    ),
  state: (a, k, steps) => last(own, weights(), steps, { ...k, state: { h: zeros([1, 3]).add(a) } }),
  input: (a, k, steps) =>
    last(
      own,
      weights(),
      steps.map((s) => ({ ...s, input: s.input.add(a) })),
      k,
    ),
  target: (a, k, steps) =>
    last(
      own,
      weights(),
      steps.map((s) => ({ ...s, target: s.target.add(a) })),
      k,
    ),
  loss: (a, k, steps) => last(own, weights(), steps, { ...k, loss: (y) => y.mul(a) }),
  // The loss of the step does not depend on it.
  cell: (a, k, steps) => {
    const step = (...[p, x, s]: Parameters<typeof own.step>) => {
      const [y, { h }] = own.step(p, x, s);
      return [y, { h: h.add(a) }] as const;
    };
    return last({ ...own, step }, weights(), steps, k);
  },
};
/** Its name in the sentence. */
const named: Record<string, string> = {
  params: 'parameter "b"',
  state: 'state "h"',
  input: "input ",
  target: "target ",
  loss: "loss of step 1 depends",
  cell: "state after step 1 depends",
};
type Options = Parameters<typeof truncated<typeof own.params, typeof own.state>>[3];
type Steps = { input: Tensor; target: Tensor }[];
export const weights = () => ({ b: tensor([0.1, 0.2, 0.3]) });

function last(cell: typeof own, params: { b: Tensor }, steps: Steps, options: Options): Tensor {
  let found = tensor(0);
  for (const { gradients, state } of truncated(cell, params, steps, options)) {
    found = gradients.b.sum().add(state.h.sum()).clone();
  }
  return found;
}

const tapes = law(
  "tapes around",
  "a derivative through truncated is refused wherever a value of the tape around comes in, never zero",
  (random, tally) => {
    const T = between(random, 1, 3);
    const steps = Array.from({ length: T }, () => ({
      input: zeros([1, 3]),
      target: zeros([1, 3]),
    }));
    for (const [name, way] of Object.entries(ways)) {
      for (const [stale, compile] of modes) {
        const k1 = between(random, 1, T);
        const options: Options = { k1, k2: 2 * k1, stale, compile, loss: squares };
        const f = (a: Tensor) => way(a, options, steps);
        const where = `${name}, ${stale}, compile ${compile}`;
        const words = new RegExp(`^truncated: the ${named[name]}.* differentiate unroll`);
        tally.throws(() => grad(f)(tensor(1)), words, `grad by ${where}`);
        tally.throws(() => jvp(f, tensor(1), tensor(1)), words, `jvp by ${where}`);
        tally.throws(() => vjp(f, tensor(1)), words, `vjp by ${where}`);
        tally.check(Number.isFinite(f(tensor(1)).item()), () => `${where}: without a tape`);
      }
    }
  },
);

const thrown = law(
  "thrown",
  "what a step or a loss throws says the step, is of its class and keeps its cause, and so does a loss that is undefined",
  (random, tally) => {
    const T = between(random, 1, 4);
    const at = between(random, 1, T);
    const cause = oneOf(random, [new RangeError("mine"), new TypeError("mine"), new Error("mine")]);
    const fails = (x: Tensor) => x.slice([0, 0]).item() === at;
    const steps = Array.from({ length: T }, (_, t) => {
      const x = zeros([1, 3]).add(t + 1);
      return { input: x, target: x };
    });
    const throwing = (x: Tensor) => {
      if (fails(x)) throw cause;
    };
    const cell = {
      ...own,
      step: (...[p, x, s]: Parameters<typeof own.step>) => {
        throwing(x);
        return own.step(p, x, s);
      },
    };
    const holds = (act: () => unknown, message: string) => {
      tally.throws(act, new RegExp(`^${message}$`), message);
      try {
        act();
      } catch (error) {
        const isRight =
          (error as Error).cause === cause && (error as Error).constructor === cause.constructor;
        tally.check(isRight, () => `${message}: the cause is ${(error as Error).cause}`);
      }
    };
    const xs = steps.map(({ input }) => input);
    holds(() => unroll(cell, weights(), xs), `unroll: step ${at}: mine`);
    for (const stale of stales) {
      const options: Options = { k1: 1, k2: 2, stale, compile: false, loss: squares };
      holds(() => last(cell, weights(), steps, options), `truncated: step ${at}: mine`);
      const loss = (y: Tensor, x: Tensor) => {
        throwing(x);
        return y;
      };
      holds(
        () => last(own, weights(), steps, { ...options, loss }),
        `truncated: the loss of step ${at}: mine`,
      );
      const none = (y: Tensor, x: Tensor) => (fails(x) ? (undefined as never) : y);
      tally.throws(
        () => last(own, weights(), steps, { ...options, loss: none }),
        new RegExp(`loss of step ${at} must be .* got undefined`),
        "a loss that is undefined",
      );
    }
  },
);

/** What cells and streams must refuse. */
export function refusalSubjects(): Subject[] {
  const subjects = {
    rows: [rows, axes],
    tracked: [tapes],
    thrown: [thrown],
    options: [options],
    contracts: [contracts],
  };
  return Object.entries(subjects).map(([name, laws]) => ({ name, group: "refusals", laws }));
}
