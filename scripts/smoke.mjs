// Uses the built packages as a program would, on whatever Node runs this file.
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(`packages/${name}/dist/index.js`).href);
const { Tape, tensor } = await load("autodiff");
const { applyUpdates, sgd, stream } = await load("nn");
const { initialParams, lstm, truncated } = await load("rnn");

const tape = new Tape();
const x = tape.watch(tensor([1, 2, 3]));
assert.deepEqual(tape.gradient(x.square().sum(), x).toArray(), [2, 4, 6]);

const cell = lstm({ input: 1, hidden: 4 });
let params = initialParams(cell, stream(1));
const optimizer = sgd({ learningRate: 0.1 });
let state = optimizer.init(params);
const steps = Array.from({ length: 200 }, (_, t) => ({
  input: tensor([[Math.sin(t / 3)]]),
  target: tensor([[Math.sin((t + 1) / 3)]]),
}));
const losses = [];
const loss = (h, target) =>
  h
    .slice([null, [0, 1]])
    .sub(target)
    .square();
for (const window of truncated(cell, params, steps, { k1: 5, k2: 10, loss, reduction: "mean" })) {
  const [updates, next] = optimizer.update(window.gradients, state, params);
  params = applyUpdates(params, updates);
  state = next;
  losses.push(window.loss);
}
assert.equal(losses.length, 40);
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
assert.ok(mean(losses.slice(-10)) < mean(losses.slice(0, 10)), "training lowers the loss");

const { runWorkers } = await import(pathToFileURL("packages/nn/dist/node.js").href);
const sum =
  "data:text/javascript,export default (all, x) => all.allReduce({ x }).x.mul(all.rank + 1)";
const sums = await runWorkers(sum, { workers: 2, input: tensor([1, 2]) });
assert.deepEqual(
  sums.map((x) => x.toArray()),
  [
    [2, 4],
    [4, 8],
  ],
);
console.log(`smoke: gradients, truncated training and workers work on Node ${process.version}`);
