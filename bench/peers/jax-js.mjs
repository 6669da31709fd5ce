// A training step in jax-js, jitted as a whole. It has no scan: the steps are unrolled in the
// program.
import { readFileSync } from "node:fs";
import { defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { readMinibatches } from "../minibatches.ts";
import { adamEpsilon, clipNorm, learningRate, readProblem } from "../problem.ts";
import { serve } from "../serve.ts";

await init("wasm");
defaultDevice("wasm");
const manifest = new URL("./node_modules/@jax-js/jax/package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, "utf8"));

const steps = {
  lstm({ U }, gates, { h, c }) {
    const [i, f, g, o] = np.split(gates.add(np.matmul(h, U.ref)), 4, 1);
    const next = nn
      .sigmoid(f)
      .mul(c)
      .add(nn.sigmoid(i).mul(np.tanh(g)));
    return { h: nn.sigmoid(o).mul(np.tanh(next.ref)), c: next };
  },
  gru({ U, bn }, gates, { h }) {
    const [xr, xz, xn] = np.split(gates, 3, 1);
    const [hr, hz, hn] = np.split(np.matmul(h.ref, U.ref), 3, 1);
    const r = nn.sigmoid(xr.add(hr));
    const z = nn.sigmoid(xz.add(hz));
    const n = np.tanh(xn.add(r.mul(hn.add(bn.ref))));
    return { h: n.ref.add(z.mul(h.sub(n))) };
  },
};

/**
 * The mean cross-entropy over T steps, and the state after the last; the input products of all
 * steps are one product.
 */
function lossOf({ model, B, T, V }) {
  return (weights, before, inputs, targets) => {
    const { table, W, b, U, bn, headW, headb } = weights;
    const x = np.matmul(nn.oneHot(inputs, V), table);
    const gates = np.split(np.matmul(x, W).add(b), T, 0);
    let state = before;
    const outputs = gates.map((gate) => {
      state = steps[model]({ U, bn }, gate, state);
      return state.h.ref;
    });
    U.dispose();
    bn?.dispose();
    const logits = np.matmul(np.concatenate(outputs, 0), headW).add(headb);
    const picked = np.sum(nn.logSoftmax(logits, -1).mul(nn.oneHot(targets, V)));
    return [picked.mul(-1 / (T * B)), state];
  };
}

/** The mean cross-entropy of classes after each row's last step. */
function lossOfSequences({ T, B, H, C }) {
  return (weights, carried, inputs, targets, lengths) => {
    const { W, b, U, headW, headb } = weights;
    const gates = np.split(np.matmul(inputs, W).add(b), T, 0);
    let state = { h: np.zeros([B, H]), c: np.zeros([B, H]) };
    for (const [t, gate] of gates.entries()) {
      const before = lengths && tree.ref(state);
      const { h, c } = steps.lstm({ U }, gate, state);
      if (lengths) {
        const runs = np.greater(lengths.ref, t);
        state = { h: np.where(runs.ref, h, before.h), c: np.where(runs, c, before.c) };
      } else state = { h, c };
    }
    tree.dispose([state.c, U]);
    lengths?.dispose();
    const logits = np.matmul(state.h, headW).add(headb);
    const loss = np.sum(nn.logSoftmax(logits, -1).mul(nn.oneHot(targets, C))).mul(-1 / B);
    return [loss, carried];
  };
}

/** Row by row, because jax-js sums in float32, one element after the other. */
function sumOfSquares(x) {
  return np.sum(np.sum(np.square(x), -1));
}

/** Clipping and Adam, as one program with the gradient. */
function stepOf(loss) {
  const valueAndGradient = valueAndGrad(loss, { hasAux: true });
  return (weights, m, v, carried, scales, ...batch) => {
    const [[loss, after], g] = valueAndGradient(tree.ref(weights), carried, ...batch);
    const names = Object.keys(g);
    const norm = np.sqrt(names.map((name) => sumOfSquares(g[name].ref)).reduce((a, b) => a.add(b)));
    const factor = np.minimum(np.array(clipNorm).div(norm.ref), 1);
    const [rate, root] = np.split(scales, 2);
    const next = { weights: {}, m: {}, v: {} };
    for (const name of names) {
      const clipped = g[name].mul(factor.ref);
      const m1 = m[name].mul(0.9).add(clipped.ref.mul(0.1));
      const v1 = v[name].mul(0.999).add(np.square(clipped).mul(0.001));
      const step = m1.ref.mul(rate.ref).div(np.sqrt(v1.ref).mul(root.ref).add(adamEpsilon));
      next.weights[name] = weights[name].sub(step);
      next.m[name] = m1;
      next.v[name] = v1;
    }
    tree.dispose([factor, rate, root]);
    return [next.weights, next.m, next.v, after, loss, norm];
  };
}

function train({ config, problem }) {
  const { weights, inputs, targets } = readProblem(problem);
  const batch = (i) => [np.array(inputs(i).slice()), np.array(targets(i).slice())];
  const zeros = () => np.zeros([config.B, config.H]);
  const initial = { h: zeros(), ...(config.model === "lstm" && { c: zeros() }) };
  return training(weights, batch, lossOf(config), initial);
}

function minibatch({ config, problem }) {
  if (config.T > 100) throw new Error(`a program of ${config.T} steps takes too long to compile`);
  const { weights, all } = readMinibatches(problem);
  const { T, B, I } = config;
  const batches = all.map(({ inputs, targets, lengths }) => [
    np.array(inputs.slice()).reshape([T * B, I]),
    np.array(targets.slice()),
    ...(lengths ? [np.array(lengths.slice()).reshape([B, 1])] : []),
  ]);
  const batch = (i) => batches[i % batches.length].map((array) => array.ref);
  return training(weights, batch, lossOfSequences(config));
}

/** Steps that take the batches in turn, and hand their state on where they have one. */
function training(initial, batch, loss, carried = {}) {
  let state = carried;
  const map = (f) => Object.fromEntries(Object.entries(initial).map(([name, x]) => [name, f(x)]));
  let weights = map(({ data, shape }) => np.array(data).reshape([...shape]));
  let m = map(({ shape }) => np.zeros([...shape]));
  let v = map(({ shape }) => np.zeros([...shape]));
  const run = jit(stepOf(loss));
  let i = 0;
  return {
    async step() {
      const t = i + 1;
      const scales = np.array(
        new Float32Array([learningRate / (1 - 0.9 ** t), 1 / Math.sqrt(1 - 0.999 ** t)]),
      );
      const now = batch(i);
      i = t;
      let loss;
      let norm;
      [weights, m, v, state, loss, norm] = run(weights, m, v, state, scales, ...now);
      const [lossData, normData] = [await loss.data(), await norm.data()];
      return { loss: lossData[0], norm: normData[0] };
    },
  };
}

await serve({ versions: { "jax-js": version }, note: "wasm, jit" }, { train, minibatch });
