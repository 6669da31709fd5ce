// What users write themselves, held to its contract: transports, memory, parameters, draws.
import { scope, tensor, zeros } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { embedding, init, initialize, linear, rng } from "@chronograd/nn";
import { createCommunicator, SharedMemory, type Transport } from "@chronograd/nn/parallel";
import { Tally } from "./tally.ts";
import { between, oneOf } from "./truncation/problem.ts";

/** A transport of `size` workers that all sent the same, in messages that begin at a byte. */
function echo(size: number, rank: number, start: number, lost: number, count: number): Transport {
  const message = new Uint8Array(1024);
  const sent = (end: number) => {
    const pool = new Uint8Array(2048).fill(255);
    pool.set(message, start);
    return pool.subarray(start, start + end - lost);
  };
  const all = (end: number) => Array.from({ length: count }, () => sent(end));
  return {
    rank,
    size,
    messageBytes: 1024,
    message,
    allGather: (bytes) => all(bytes + lost),
    allToAll: (bytes) => all(Math.min(1024, (rank + 1) * bytes)),
    broadcast: (bytes) => sent(bytes),
  };
}

export const contracts: Law = {
  name: "contracts",
  statement:
    "a transport, shared memory, a layer's parameters or a draw that breaks its contract is refused; messages may begin at any byte",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const random = rng(seed, "contracts");
      const size = between(random, 1, 3);
      const rank = random.integer(0, size);
      const start = between(random, 0, 7);
      const x = zeros([200]).add(3);
      const reduced = (lost: number, count: number) =>
        createCommunicator(echo(size, rank, start, lost, count)).allReduce({ x }).x;
      // Each worker adds up its own part, and in an echo all parts are this worker's first ones.
      tally.check(reduced(0, size).toTypedArray()[0] === 3 * size, () => `from byte ${start} on`);
      tally.throws(() => reduced(1, size), /^allReduce: allToAll of .* at least /, "one byte lost");
      const other = size + oneOf(random, [-1, 1]);
      tally.throws(
        () => reduced(0, other),
        /^allReduce: allGather of .* array/,
        `${other} of ${size}`,
      );
      const memory = new SharedArrayBuffer(2 ** 21);
      new Int32Array(memory).fill(2);
      tally.throws(() => new SharedMemory(memory, 0), /^SharedMemory: buffer must/, "other memory");
      const layer = linear({ input: 2, output: 1 });
      for (const [W, b] of [
        [zeros([2, 2]), zeros([1])],
        [zeros([2, 1]), zeros([3])],
      ] as const) {
        tally.throws(() => layer.apply({ W, b }, zeros([1, 2])), /^linear: params\./, "linear");
      }
      const symbols = embedding({ input: 3, output: 2 });
      tally.throws(() => symbols.apply({ table: zeros([5, 2]) }, [4]), /^embedding: /, "embedding");
      tally.throws(() => symbols.apply({ table: zeros([3, 1]) }, [2]), /^embedding: /, "embedding");
      const large = () => initialize({ W: init.constant(1e300) }, random);
      tally.throws(large, /^initialize: .* not finite in float32/, "1e300 in float32");
      const most = initialize({ W: init.constant(1e300) }, random, { dtype: "float64" }).W;
      tally.check(most.item() === tensor(1e300, { dtype: "float64" }).item(), () => `${most}`);
      return tally;
    }),
};
