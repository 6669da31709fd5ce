// A training step in TensorFlow.js, from its core ops; `wasm` or `cpu` names the backend.
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { readMinibatches } from "../minibatches.ts";
import {
  adamEpsilon,
  batches as batchCount,
  clipNorm,
  learningRate,
  readProblem,
} from "../problem.ts";
import { serve } from "../serve.ts";

const [backend] = process.argv.slice(2);

await tf.setBackend(backend);
await tf.ready();

const steps = {
  lstm({ U }, gates, { h, c }) {
    const [i, f, g, o] = tf.split(tf.add(gates, tf.matMul(h, U)), 4, 1);
    const next = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
    return { h: tf.mul(tf.sigmoid(o), tf.tanh(next)), c: next };
  },
  gru({ U, bn }, gates, { h }) {
    const [xr, xz, xn] = tf.split(gates, 3, 1);
    const [hr, hz, hn] = tf.split(tf.matMul(h, U), 3, 1);
    const r = tf.sigmoid(tf.add(xr, hr));
    const z = tf.sigmoid(tf.add(xz, hz));
    const n = tf.tanh(tf.add(xn, tf.mul(r, tf.add(hn, bn))));
    return { h: tf.add(n, tf.mul(z, tf.sub(h, n))) };
  },
};

/** One-hot rows, cast: asked for float32 ones, the wasm backend writes the bits of integers. */
function rowsOf(symbols, V) {
  return tf.cast(tf.oneHot(symbols, V), "float32");
}

/**
 * The mean cross-entropy over T steps, and the state after the last; the input products of all
 * steps are one product.
 */
function lossOf(weights, { model, B, T, V }, before, inputs, targets) {
  const { table, W, b, headW, headb } = weights;
  // The wasm backend has no gradient of gather: a product with one-hot rows looks the symbols up.
  const x = tf.matMul(rowsOf(inputs, V), table);
  const gates = tf.split(tf.add(tf.matMul(x, W), b), T, 0);
  let state = before;
  const outputs = gates.map((gate) => {
    state = steps[model](weights, gate, state);
    return state.h;
  });
  const logits = tf.add(tf.matMul(tf.concat(outputs, 0), headW), headb);
  const picked = tf.sum(tf.mul(tf.logSoftmax(logits), rowsOf(targets, V)));
  return [tf.mul(picked, -1 / (T * B)), state];
}

/**
 * The mean cross-entropy of classes after each row's last step; masks are those of rows, by step.
 */
function lossOfSequences(weights, { T, B, H, C }, { x, targets, masks }) {
  const { W, b, headW, headb } = weights;
  const gates = tf.split(tf.add(tf.matMul(x, W), b), T, 0);
  let state = { h: tf.zeros([B, H]), c: tf.zeros([B, H]) };
  for (const [t, gate] of gates.entries()) {
    const { h, c } = steps.lstm(weights, gate, state);
    const mask = masks?.[t];
    state = mask ? { h: tf.where(mask, h, state.h), c: tf.where(mask, c, state.c) } : { h, c };
  }
  const logits = tf.add(tf.matMul(state.h, headW), headb);
  return tf.mul(tf.sum(tf.mul(tf.logSoftmax(logits), rowsOf(targets, C))), -1 / B);
}

function minibatch({ config, problem }) {
  const { weights, all } = readMinibatches(problem);
  const { T, B, I, H } = config;
  tf.disposeVariables();
  const batches = all.map(({ inputs, targets, lengths }) => ({
    x: tf.tensor(inputs, [T * B, I]),
    targets: tf.tensor1d(targets, "int32"),
    masks:
      lengths &&
      Array.from({ length: T }, (_, t) =>
        tf.tidy(() => {
          const mask = tf.tensor2d(
            Array.from(lengths, (n) => [t < n]),
            [B, 1],
            "bool",
          );
          return tf.tile(mask, [1, H]);
        }),
      ),
  }));
  return training(weights, batches, (now, batch) => [lossOfSequences(now, config, batch), {}]);
}

function train({ config, problem }) {
  const { weights, inputs, targets } = readProblem(problem);
  tf.disposeVariables();
  const batches = Array.from({ length: batchCount }, (_, i) => [inputs(i), targets(i)]);
  const zeros = () => tf.zeros([config.B, config.H]);
  const initial = config.model === "lstm" ? { h: zeros(), c: zeros() } : { h: zeros() };
  const step = (now, [inputs, targets], state) => {
    const x = tf.tensor1d(inputs, "int32");
    const y = tf.tensor1d(targets, "int32");
    return lossOf(now, config, state, x, y);
  };
  return training(weights, batches, step, initial);
}

/** Steps that take the batches in turn, and hand their state on where they have one. */
function training(initial, batches, lossOf, before = {}) {
  let state = before;
  const weights = Object.fromEntries(
    Object.entries(initial).map(([name, { data, shape }]) => [
      name,
      tf.variable(tf.tensor(data, shape), true, name),
    ]),
  );
  const optimizer = tf.train.adam(learningRate, 0.9, 0.999, adamEpsilon);
  let i = 0;
  return {
    step() {
      const batch = batches[i++ % batches.length];
      let after = state;
      const [loss, norm] = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => {
          const [loss, next] = lossOf(weights, batch, state);
          for (const kept of Object.values(next)) tf.keep(kept);
          after = next;
          return loss;
        });
        const squares = Object.values(grads).map((g) => tf.sum(tf.square(g)));
        const norm = tf.sqrt(tf.addN(squares));
        const factor = tf.minimum(tf.div(clipNorm, norm), 1);
        optimizer.applyGradients(
          Object.fromEntries(Object.entries(grads).map(([name, g]) => [name, tf.mul(g, factor)])),
        );
        return [value.dataSync()[0], norm.dataSync()[0]];
      });
      tf.dispose(state);
      state = after;
      return { loss, norm };
    },
    facts: () => ({ tensors: tf.memory().numTensors }),
  };
}

await serve(
  { versions: { [`tfjs-${backend}`]: tf.version.tfjs }, note: `${tf.getBackend()}, one thread` },
  { train, minibatch },
);
