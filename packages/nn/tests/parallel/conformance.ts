// What every transport must do, as each of its workers runs it, however they were started.
// `conformanceThread.ts` runs it in threads, for `transports.test.ts`.
import { isDeepStrictEqual } from "node:util";
import { type DType, type Tensor, type TypedArray, tensor, tree } from "@chronograd/autodiff";
import { type Communicator, gather, type Rng, rng, WorkerError } from "../../src/index.ts";
import { createCommunicator, type Transport } from "../../src/parallel.ts";
import { bits, randomTree } from "../files/trees.ts";

/** One rank's end of a transport, as the default export of the transport's file makes it. */
export interface End {
  readonly transport: Transport;
  /** What happens when this worker goes: the end of its thread need not be noticed. */
  leave(): void;
}
export type Connect<Connection> = (connection: Connection, rank: number, size: number) => End;

/** Sentences about what went wrong on this worker: none, where the transport keeps its promises. */
export function conformance({ transport, leave }: End, seed: number): string[] {
  const faults: string[] = [];
  const check = (holds: boolean, what: string) => holds || faults.push(what);
  // The same draws on all workers.
  const random = rng(seed, "conformance");
  try {
    const communicator = createCommunicator(transport);
    bytes(transport, random, check);
    sums(communicator, random, check);
    broadcasts(communicator, random, check);
    gathers(communicator, random, check);
    disagreements(communicator, check);
    if (transport.rank < transport.size - 1) departure(transport, random, check);
  } catch (error) {
    faults.push(String(error));
  } finally {
    leave();
  }
  return faults;
}

type Check = (holds: boolean, what: string) => void;

/** Messages arrive as they were sent, although the next one is filled before they are read. */
function bytes(transport: Transport, random: Rng, check: Check): void {
  const { rank, size, messageBytes } = transport;
  check(messageBytes >= 8 && messageBytes % 8 === 0, `messageBytes is ${messageBytes}`);
  let round = 0;
  const byte = (from: number, at: number) => (89 * from + 7 * at + 31 * round) % 251;
  const fill = () => {
    const { message } = transport;
    const isRight = message.length === messageBytes && message.byteOffset % 8 === 0;
    check(isRight, `round ${round}: ${message.length} bytes from ${message.byteOffset} on`);
    for (let i = 0; i < messageBytes; i++) message[i] = byte(rank, i);
  };
  const compare = (what: string, from: number, message: Uint8Array, start: number, end: number) => {
    for (let i = start; i < Math.min(end, messageBytes); i++) {
      if (message[i] !== byte(from, i)) return check(false, `${what}: byte ${i} of ${from}'s`);
    }
  };
  for (; round < 12; round++) {
    const count = 8 * random.integer(1, Math.min(messageBytes, 4096) / 8 + 1);
    const root = random.integer(0, size);
    const exchanges = [
      () => transport.allGather(count, "a test").map((m, r) => [r, m, 0, count] as const),
      () =>
        transport
          .allToAll(count, "a test")
          .map((m, r) => [r, m, rank * count, (rank + 1) * count] as const),
      () => [[root, transport.broadcast(count, root, "a test"), 0, count] as const],
    ];
    fill();
    const received = exchanges[round % 3]!();
    transport.message.fill(255);
    for (const [from, message, start, end] of received) {
      compare(`round ${round} of ${count} bytes`, from, message, start, end);
    }
  }
}

/** (r0 + r1) + (r2 + r3), rounded to the dtype each time, on every worker, bit for bit. */
function sums(communicator: Communicator, random: Rng, check: Check): void {
  for (let draw = 0; draw < 25; draw++) {
    const dtype = (["float32", "float64", "int32"] as const)[random.integer(0, 3)]!;
    const shapes = Array.from({ length: random.integer(0, 5) }, () =>
      Array.from({ length: random.integer(0, 4) }, () => random.integer(0, 7)),
    );
    const seed = random.integer(0, 1e6);
    // Some are late, so that others fall asleep.
    if (rng(seed, `sleep ${communicator.rank}`).uniform() < 0.2) sleep(1);
    const trees = Array.from({ length: communicator.size }, (_, r) =>
      treeOf(r, { seed, shapes, dtype }),
    );
    const found = bitsOf(communicator.allReduce(trees[communicator.rank]!));
    check(isDeepStrictEqual(found, sumInOrder(trees)), `sum ${draw}: ${dtype} ${said(shapes)}`);
    if (draw % 5 === 0) communicator.barrier();
  }
}

function broadcasts(communicator: Communicator, random: Rng, check: Check): void {
  for (const dtype of ["float32", "float64", "int32"] as const) {
    for (let root = 0; root < communicator.size; root++) {
      const shapes = [[random.integer(0, 40), 3], []];
      const own = treeOf(communicator.rank, { shapes, dtype });
      const found = bitsOf(communicator.broadcast(own, root));
      const expected = bitsOf(treeOf(root, { shapes, dtype }));
      check(isDeepStrictEqual(found, expected), `${dtype} from worker ${root}`);
    }
  }
}

/** Every worker holds every worker's tree, of any structure, bit for bit. */
function gathers(communicator: Communicator, random: Rng, check: Check): void {
  for (let draw = 0; draw < 10; draw++) {
    const seed = random.integer(0, 1e6);
    const trees = Array.from({ length: communicator.size }, (_, r) => {
      return randomTree(rng(seed, `worker ${r}`), { areNamed: true });
    });
    const found = gather(communicator, trees[communicator.rank]);
    check(isDeepStrictEqual(found.map(bits), trees.map(bits)), `trees of seed ${seed}`);
    check(!found.includes(trees[communicator.rank]), "a worker's own tree is a new one, too");
  }
}

/** What does not fit throws on all workers, and the next call is as if nothing had been. */
function disagreements(all: Communicator, check: Check): void {
  if (all.size === 1) return;
  const last = all.rank === all.size - 1;
  const calls: readonly (() => unknown)[] = [
    () => all.allReduce(last ? [1] : [1, 2]),
    () => (last ? all.barrier() : all.allReduce([1])),
    () => all.broadcast(1, last ? 1 : 0),
  ];
  for (const [i, call] of calls.entries()) {
    const message = failure(call);
    check(/every worker must call the same collectives/.test(message), `call ${i}: ${message}`);
    check(all.allReduce(all.rank) === (all.size * (all.size - 1)) / 2, `the sum after call ${i}`);
  }
}

/** The last worker is gone: those who wait for it throw, and say for whom and in what. */
function departure(transport: Transport, random: Rng, check: Check): void {
  const where = "the last exchange";
  const exchanges = [
    () => transport.allGather(8, where),
    () => transport.allToAll(8, where),
    () => transport.broadcast(8, 0, where),
  ];
  const gone = transport.size - 1;
  const error = thrown(exchanges[random.integer(0, exchanges.length)]!);
  const isTold = error instanceof WorkerError && error.rank === gone;
  check(isTold && error.message.includes(where), `worker ${gone} is gone: ${String(error)}`);
}

/** What trees of tests look like. */
export interface Drawn {
  readonly seed?: number;
  readonly shapes?: readonly (readonly number[])[];
  readonly dtype?: DType;
}

/**
 * Worker `rank`'s tree: random, with magnitudes apart, so that the order of a sum shows in its
 * bits.
 */
export function treeOf(rank: number, { seed = 1, shapes = [], dtype = "float32" }: Drawn) {
  const random = rng(seed, `worker ${rank}`);
  const draw = () =>
    dtype === "int32" ? random.integer(-1e9, 1e9) : random.normal() * 10 ** random.integer(-6, 7);
  return {
    parts: shapes.map((shape) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return tensor(Array.from({ length: size }, draw), { dtype, shape });
    }),
    nested: { loss: random.normal(), name: "kept", none: null },
  };
}

/**
 * The sum of trees by plain loops, as bits: that of the trees before the largest power of two below
 * their number, plus that of the others.
 */
export function sumInOrder(trees: readonly ReturnType<typeof treeOf>[]): Bits {
  if (trees.length === 1) return bitsOf(trees[0]) as Bits;
  let middle = 1;
  while (2 * middle < trees.length) middle *= 2;
  const [sum, addend] = [sumInOrder(trees.slice(0, middle)), sumInOrder(trees.slice(middle))];
  sum.nested.loss += addend.nested.loss;
  for (const [i, { data }] of addend.parts.entries()) {
    const target = sum.parts[i]!.data;
    for (let j = 0; j < data.length; j++) target[j]! += data[j]!;
  }
  return sum;
}

interface Bits {
  readonly parts: readonly { readonly data: TypedArray }[];
  readonly nested: { loss: number };
}

/** A tree to be compared bit by bit. */
export function bitsOf(values: unknown): unknown {
  return tree.map(values, (x: Tensor) => ({
    shape: [...x.shape],
    dtype: x.dtype,
    data: x.toTypedArray(),
  }));
}

/** The message of what is thrown. */
export function failure(act: () => unknown): string {
  return (thrown(act) as Error).message;
}

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return new Error("nothing was thrown");
}

/** Waits without a promise. */
export function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function said(shapes: readonly (readonly number[])[]): string {
  return JSON.stringify(shapes);
}
