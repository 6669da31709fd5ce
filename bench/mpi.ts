// Step time against ranks: an LSTM of 256 units on 32 rows, alone or under mpiexec.
//   node bench/mpi.ts                    alone: also the steps of 16 and of 8 rows
//   mpiexec -n 2 node bench/mpi.ts       rows shared by two ranks
// It prints a line of JSON: medians in ms of a step, of the sum of its gradients over all ranks,
// and of a sum of 64 bytes.
import { type Tensor, tensor } from "@chronograd/autodiff";
import {
  type Communicator,
  countParameters,
  crossEntropy,
  embedding,
  linear,
  rng,
} from "@chronograd/nn";
import { mpi } from "@chronograd/nn/node";
import { shardRows } from "@chronograd/nn/parallel";
import { initialParams, lstm, sequential, truncated } from "@chronograd/rnn";

const [tokens, width, hidden, batch, k1] = [65, 32, 256, 32, 50];
const rounds = Number(process.env.ROUNDS ?? 12);

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const rounded = (value: number) => Number(value.toPrecision(3));

const model = sequential({
  embedding: embedding({ input: tokens, output: width }),
  lstm: lstm({ input: width, hidden }),
  head: linear({ input: hidden, output: tokens }),
});

function* symbols(rows: number, seed: number) {
  const random = rng(seed);
  const draw = () => tensor(Int32Array.from({ length: rows }, () => random.integer(0, tokens)));
  for (;;) yield { input: draw(), target: draw() };
}

/** Milliseconds from the gradients of one window to those of the next. */
function step(communicator: Communicator, rows: number) {
  const params = initialParams(model, rng(1));
  const loss = (y: Tensor, target: Tensor) => crossEntropy(y, target);
  const options = { k1, k2: k1, loss, communicator, compile: true } as const;
  const times: number[] = [];
  const reductions: number[] = [];
  let before = performance.now();
  for (const { gradients, index } of truncated(
    model,
    params,
    symbols(rows, 2 + communicator.rank),
    options,
  )) {
    const reached = gradients;
    const now = performance.now();
    times.push(now - before);
    communicator.barrier();
    const began = performance.now();
    communicator.allReduce(reached);
    before = performance.now();
    reductions.push(before - began);
    if (index === rounds) break;
  }
  return { step: median(times.slice(2)), allReduce: median(reductions.slice(2)) };
}

const communicator = mpi();
const { start, end } = shardRows(batch, communicator);
const { step: time, allReduce } = step(communicator, end - start);
const small = Array.from({ length: 200 }, () => {
  const began = performance.now();
  communicator.allReduce(tensor([1, 2, 3, 4, 5, 6, 7, 8], { dtype: "float64" }));
  return performance.now() - began;
});
const parts = communicator.size > 1 ? [] : [batch / 2, batch / 4];
const bytes = 4 * countParameters(initialParams(model, rng(1)));
if (communicator.rank === 0) {
  const alone = parts.map((rows) => [rows, rounded(step(communicator, rows).step)]);
  console.log(
    JSON.stringify({
      ranks: communicator.size,
      step: rounded(time),
      gradientBytes: bytes,
      allReduce: rounded(allReduce),
      allReduce64: rounded(median(small)),
      ...Object.fromEntries(alone.map(([rows, ms]) => [`step of ${rows} rows`, ms])),
    }),
  );
}
