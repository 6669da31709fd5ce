// A training step in TensorFlow.js, from its core ops; `wasm` or `cpu` names the backend.
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { adamEpsilon, clipNorm, learningRate, readProblem } from "../problem.ts";
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

/** The mean cross-entropy over T steps; the input products of all steps are one product. */
function lossOf(weights, { model, H, B, T, V }, inputs, targets) {
  const { table, W, b, headW, headb } = weights;
  // The wasm backend has no gradient of gather: a product with one-hot rows looks the symbols up.
  const x = tf.matMul(rowsOf(inputs, V), table);
  const gates = tf.split(tf.add(tf.matMul(x, W), b), T, 0);
  let state = { h: tf.zeros([B, H]), c: tf.zeros([B, H]) };
  const outputs = gates.map((gate) => {
    state = steps[model](weights, gate, state);
    return state.h;
  });
  const logits = tf.add(tf.matMul(tf.concat(outputs, 0), headW), headb);
  const picked = tf.sum(tf.mul(tf.logSoftmax(logits), rowsOf(targets, V)));
  return tf.mul(picked, -1 / (T * B));
}

function train({ config, problem }) {
  const { weights: initial, inputs, targets } = readProblem(problem);
  tf.disposeVariables();
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
      const batch = i++;
      const [loss, norm] = tf.tidy(() => {
        const x = tf.tensor1d(inputs(batch), "int32");
        const y = tf.tensor1d(targets(batch), "int32");
        const { value, grads } = tf.variableGrads(() => lossOf(weights, config, x, y));
        const squares = Object.values(grads).map((g) => tf.sum(tf.square(g)));
        const norm = tf.sqrt(tf.addN(squares));
        const factor = tf.minimum(tf.div(clipNorm, norm), 1);
        optimizer.applyGradients(
          Object.fromEntries(Object.entries(grads).map(([name, g]) => [name, tf.mul(g, factor)])),
        );
        return [value.dataSync()[0], norm.dataSync()[0]];
      });
      return { loss, norm };
    },
    facts: () => ({ tensors: tf.memory().numTensors }),
  };
}

await serve(
  { versions: { [`tfjs-${backend}`]: tf.version.tfjs }, note: `${tf.getBackend()}, one thread` },
  { train },
);
