// What a user would run to find a bug. Each scenario returns the text of the report, and is loaded
// after a bug was planted.
import { type MapTree, type Tensor, tensor } from "@chronograd/autodiff";
import { apply, kernelsOf, type OpDeclaration, op } from "@chronograd/autodiff/extend";
import { checkGradients } from "@chronograd/autodiff/testing";
import { crossEntropy, init, linear, type Rng, rng } from "@chronograd/nn";
import {
  type Cell,
  defineCell,
  elman,
  gruResetBefore,
  initialParams,
  sequential,
  unroll,
  type Values,
} from "@chronograd/rnn";
import { checkTruncated, testCell } from "@chronograd/rnn/testing";

const sizes = { input: 3, hidden: 3 };

function normal(random: Rng, shape: readonly number[]): Tensor {
  const size = shape.reduce((n, length) => n * length, 1);
  return tensor(
    Float64Array.from({ length: size }, () => random.normal()),
    { shape },
  );
}

/** Checks the gradient of a cell unrolled over three steps by its parameters. */
function unrolled<Params, State>(
  cell: Cell<Params, State>,
  loss: (y: Tensor) => Tensor = (y) => y,
): string {
  const random = rng(3, "plants");
  const params = initialParams(cell, random, { dtype: "float64" });
  const xs = normal(random, [3, 2, 3]);
  const f = (p: MapTree<Values<Params>, Tensor>) =>
    loss(unroll(cell, p as Values<Params>, xs).outputs as Tensor);
  return checkGradients(f, params).toString();
}

// A user's op: tanh with a mistake in its rules.
const declaration: OpDeclaration = {
  name: "fastTanh",
  inputs: ["x"],
  shape: ([x]) => x!.shape,
  forward: (backend, [x], y) => kernelsOf(backend, y).tanh(y.size, x!.pointer, y.pointer),
  residuals: { inputs: [], output: true },
  vjp: [(g, { output: y }) => g.mul(y.neg().add(1))],
  jvp: ([dx], { output: y }) => dx!.mul(y.neg().add(1)),
  samples: [],
};
const fastTanh = op(declaration, (x: Tensor) => apply(declaration, [x], undefined));

const twoScales = defineCell({
  params: ({ input, hidden }) => ({
    W: init.glorot(input, hidden),
    U: init.glorot(hidden, hidden),
    rate: init.zeros(hidden),
  }),
  state: ({ hidden }) => ({ fast: init.zeros(hidden), slow: init.zeros(hidden) }),
  step: ({ W, U, rate }, x, { fast, slow }) => {
    const heard = fastTanh(fast.matmul(U));
    const next = {
      fast: x.matmul(W).add(slow).tanh(),
      slow: slow.add(rate.sigmoid().mul(heard.sub(slow))),
    };
    return [next.fast, next];
  },
});

const normalising = defineCell({
  params: ({ input, hidden }) => ({
    W: init.glorot(input, hidden),
    U: init.glorot(hidden, hidden),
  }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W, U }, x, { h }) => {
    const size = h.norm().add(1).item();
    const next = x
      .matmul(W)
      .add(h.mul(1 / size).matmul(U))
      .tanh();
    return [next, { h: next }];
  },
});

/** A recurrence on outputs that have more than one user each. */
function shared(): string {
  const cell = defineCell({
    params: ({ input, hidden }) => ({ W: init.glorot(input, hidden) }),
    state: ({ hidden }) => ({ h: init.zeros(hidden) }),
    step: ({ W }, x, { h }) => {
      const heard = x.matmul(W).add(h);
      const next = heard.tanh().add(heard.sin());
      return [next, { h: next }];
    },
  });
  return unrolled(cell(sizes));
}

function classified(): string {
  const targets = tensor(
    [
      [0, 2],
      [1, 1],
      [2, 0],
    ],
    { dtype: "int32" },
  );
  const model = defineCell({
    params: ({ input, hidden }) => ({
      cell: elman({ input, hidden }).params,
      head: linear({ input: hidden, output: 3 }).params,
    }),
    state: ({ hidden }) => ({ h: init.zeros(hidden), t: init.zeros() }),
    step: ({ cell, head }, x, { h, t }) => {
      const next = x.matmul(cell.W).add(h.matmul(cell.U)).add(cell.b).tanh();
      const logits = next.matmul(head.W).add(head.b);
      const at = targets.slice([Math.min(2, t.toTypedArray()[0]!)]);
      return [crossEntropy(logits, at, { reduction: "none" }), { h: next, t: t.add(1) }];
    },
  });
  return unrolled(model(sizes));
}

function windows(): string {
  const random = rng(5, "plants");
  const steps = Array.from({ length: 7 }, () => ({
    input: normal(random, [2, 3]),
    target: normal(random, [2, 3]),
  }));
  const model = sequential({ cell: elman(sizes), head: linear({ input: 3, output: 3 }) });
  return checkTruncated(model, steps, {
    k1: 1,
    k2: 3,
    stale: "carry",
    losses: "new",
    reduction: "sum",
    loss: (y, target) => y.sub(target).square(),
  }).toString();
}

/** By the name of the plant. */
export const scenarios: Readonly<Record<string, () => string>> = {
  tanh: () => unrolled(elman(sizes)),
  matmul: () => unrolled(elman(sizes)),
  accumulate: () => unrolled(elman(sizes)),
  broadcast: () => unrolled(elman(sizes)),
  crossEntropy: classified,
  split: () => unrolled(gruResetBefore(sizes)),
  sweep: shared,
  "custom op in a custom cell": () =>
    testCell(twoScales(sizes), { name: "twoScales", input: 3, runs: 1 }).toString(),
  "detach in a custom cell": () => unrolled(normalising(sizes)),
  "truncated window": windows,
};
