import { type DType, type Shape, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { putTogether, takeApart } from "../files/apart.ts";
import { type Communicator, checkRank } from "./communicator.ts";

/** What the others must know of a worker's tree to make room for it. */
interface Outline {
  readonly text: string;
  readonly tensors: readonly (readonly [path: string, dtype: DType, shape: Shape])[];
}

/**
 * Every worker's tree, in the order of ranks, bit for bit, on every worker: for a checkpoint, which
 * one worker writes for all. Trees hold what a checkpoint may hold, and need not be alike. All
 * workers must call it.
 *
 * @returns new trees; their tensors are on no tape
 * @throws for a value that `saveCheckpoint` refuses, too
 *
 * @example
 * ```ts
 * import { type Communicator, gather, rng, selfCommunicator } from "@chronograd/nn";
 *
 * // Each worker draws from a stream of its own; the list is what one of them saves.
 * function streams(communicator: Communicator) {
 *   const noise = rng(1, `worker ${communicator.rank}`);
 *   return gather(communicator, { noise: noise.getState(), position: 12 });
 * }
 * streams(selfCommunicator).map(({ position }) => position); // => [12]
 * ```
 */
export function gather<T>(communicator: Communicator, tree: T): T[] {
  checkRank(communicator, "gather");
  const { text, tensors } = takeApart(tree, "gather");
  const own = Object.entries(tensors).map(([path, x]) => [path, x.dtype, x.shape] as const);
  const outline = toWords(JSON.stringify({ text, tensors: own } satisfies Outline));
  const { backend } = Object.values(tensors)[0] ?? outline;
  const room = (shape: Shape, dtype: DType) => zeros(shape, { dtype, backend });
  return Array.from({ length: communicator.size }, (_, root) => {
    const isOwn = root === communicator.rank;
    const length = communicator.broadcast(outline.size, root);
    const words = communicator.broadcast(isOwn ? outline : room([length], "int32"), root);
    const theirs = JSON.parse(fromWords(words)) as Outline;
    const values = isOwn
      ? tensors
      : Object.fromEntries(
          theirs.tensors.map(([path, dtype, shape]) => [path, room(shape, dtype)]),
        );
    const received = communicator.broadcast(values, root);
    return putTogether(theirs.text, (path) => received[path]) as T;
  });
}

/** JSON as a tensor. */
function toWords(json: string): Tensor {
  const bytes = new TextEncoder().encode(json);
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  // JSON may end with spaces.
  const padded = new Uint8Array(words.buffer).fill(0x20);
  padded.set(bytes);
  return tensor(words);
}

function fromWords(words: Tensor): string {
  return new TextDecoder().decode(words.toTypedArray());
}
