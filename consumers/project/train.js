// What every consumer runs: a custom cell, trained by truncated back-propagation, and gradients
// with known values.
import { grad, tensor } from "@chronograd/autodiff";
import { applyUpdates, init, rng, sgd } from "@chronograd/nn";
import { defineCell, initialParams, truncated } from "@chronograd/rnn";

const float64 = (values) => tensor(values, { dtype: "float64" });

/**
 * x_t = w x_{t-1}, x_0 = 0.9, w = 0.2, loss x_t, k1 = 1, k2 = 3: the gradients are 0.9, 2 w 0.9 and
 * 3 w^2 0.9.
 */
function knownGradients() {
  const decay = defineCell({
    params: () => ({ w: init.zeros() }),
    state: () => ({ x: init.zeros() }),
    step: ({ w }, _, { x }) => [w.mul(x), { x: w.mul(x) }],
  });
  const steps = [1, 2, 3].map(() => ({ input: float64(0), target: float64(0) }));
  const options = { k1: 1, k2: 3, loss: (x) => x, state: { x: float64(0.9) } };
  const windows = truncated(decay({}), { w: float64(0.2) }, steps, options);
  return Array.from(windows, ({ gradients }) => gradients.w.item());
}

/** Losses of windows while a cell learns to predict the next value of a sine. */
function losses(compile) {
  const elman = defineCell({
    params: ({ hidden }) => ({
      W: init.glorot(1, hidden),
      U: init.orthogonal(hidden),
      b: init.zeros(hidden),
    }),
    state: ({ hidden }) => ({ h: init.zeros(hidden) }),
    step: ({ W, U, b }, x, { h }) => {
      const next = x.matmul(W).add(h.matmul(U)).add(b).tanh();
      return [next, { h: next }];
    },
  });
  const cell = elman({ hidden: 8 });
  let params = initialParams(cell, rng(1));
  const optimizer = sgd({ learningRate: 0.1 });
  let state = optimizer.init(params);
  const steps = Array.from({ length: 400 }, (_, t) => ({
    input: tensor([[Math.sin(t / 3)]]),
    target: tensor([[Math.sin((t + 1) / 3)]]),
  }));
  const loss = (h, target) => h.mean().sub(target).square();
  const found = [];
  const options = { k1: 4, k2: 8, loss, reduction: "mean", compile };
  for (const window of truncated(cell, params, steps, options)) {
    const [updates, next] = optimizer.update(window.gradients, state, params);
    params = applyUpdates(params, updates);
    state = next;
    found.push(window.loss);
  }
  return found;
}

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const close = (a, b, bound) =>
  a.length === b.length && a.every((x, i) => Math.abs(x - b[i]) < bound);

/** Throws a sentence unless everything is right; otherwise returns a summary. */
export function train() {
  const started = performance.now();
  const expect = (holds, what) => {
    if (!holds) throw new Error(`train: ${what}`);
  };
  const square = grad((x) => x.add(1).square().sum())(tensor([1, 2])).toArray();
  expect(
    close(square, [4, 6], 1e-6),
    `the gradient of (x + 1)^2 at [1, 2] is [4, 6], got ${square}`,
  );
  const known = knownGradients();
  expect(
    close(known, [0.9, 0.36, 0.108], 1e-15),
    `the gradients are 0.9, 0.36, 0.108, got ${known}`,
  );
  const recorded = losses(false);
  const [first, last] = [mean(recorded.slice(0, 10)), mean(recorded.slice(-10))];
  expect(last < first / 5, `the loss falls to a fifth, got ${first} and ${last}`);
  const planned = losses(true);
  expect(close(planned, recorded, 1e-4), "a plan has the losses of the recorded run");
  const milliseconds = Math.round(performance.now() - started);
  return `the loss fell from ${first.toFixed(4)} to ${last.toFixed(4)} (${milliseconds} ms)`;
}
