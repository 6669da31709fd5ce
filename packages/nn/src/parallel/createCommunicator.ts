import { bytesOf } from "@chronograd/autodiff/extend";
import { agree } from "./agreement.ts";
import { checkedTransport } from "./checkedTransport.ts";
import { type Communicator, checkRoot } from "./communicator.ts";
import { aligned, FlatTree, type FlatVector, viewOf } from "./flatTree.ts";
import { orderedSum } from "./orderedSum.ts";
import type { Transport } from "./transport.ts";

/**
 * The collectives on trees over whatever moves bytes between workers. Sums are added up in pairs,
 * in the order of ranks, (r0 + r1) + (r2 + r3), each worker adding its part of the elements for
 * all, so their bits do not depend on the transport.
 *
 * @throws for a transport that lacks one of its members, or whose numbers do not fit; a collective
 *   throws when an exchange returns too few messages, or too short ones
 *
 * @example
 * ```ts
 * import { createCommunicator, SharedMemory, sharedBuffer } from "@chronograd/nn/parallel";
 *
 * const transport = new SharedMemory(sharedBuffer(1), 0);
 * createCommunicator(transport).allReduce({ loss: 2 }).loss; // => 2
 * ```
 */
export function createCommunicator(given: Transport): Communicator {
  const transport = checkedTransport(given);
  const { rank, size } = transport;
  return Object.freeze<Communicator>({
    rank,
    size,
    allReduce<T>(tree: T): T {
      return exchange("allReduce", tree, [], (own, received, from, length) => {
        const { dtype } = own;
        // Elements that each worker adds up, and where those of worker r end.
        const most = Math.min(length, aligned(Math.ceil(length / size), dtype));
        const end = (r: number) => Math.min(length, (r + 1) * most);
        const bytes = most * bytesOf[dtype];
        own.read(viewOf(transport.message, dtype, 0, length), from);
        const addends = transport
          .allToAll(bytes, "allReduce")
          .map((message) => viewOf(message, dtype, end(rank - 1), end(rank)));
        const sums = viewOf(transport.message, dtype, 0, end(rank) - end(rank - 1));
        orderedSum(addends, sums, own.home);
        for (const [r, message] of transport.allGather(bytes, "allReduce").entries()) {
          const start = end(r - 1);
          received.write(viewOf(message, dtype, 0, end(r) - start), from + start);
        }
      });
    },
    broadcast<T>(tree: T, root = 0): T {
      checkRoot(root, size);
      return exchange("broadcast", tree, [`root ${root}`], (own, received, from, length) => {
        const { dtype } = own;
        if (rank === root) own.read(viewOf(transport.message, dtype, 0, length), from);
        const message = transport.broadcast(length * bytesOf[dtype], root, "broadcast");
        received.write(viewOf(message, dtype, 0, length), from);
      });
    },
    barrier: () => agree(transport, "barrier", []),
  });

  /**
   * A new tree, once all agree on what there is to do, by messages of elements `from` to
   * `from + length`.
   */
  function exchange<T>(
    what: string,
    tree: T,
    lines: readonly string[],
    act: (own: FlatVector, received: FlatVector, from: number, length: number) => void,
  ): T {
    const flat = new FlatTree(tree, what);
    agree(transport, what, [...lines, ...flat.lines]);
    const { result, vectors } = flat.receive();
    for (const { own, received } of vectors) {
      const most = transport.messageBytes / bytesOf[own.dtype];
      for (let from = 0; from < own.length; from += most) {
        act(own, received, from, Math.min(most, own.length - from));
      }
    }
    return result() as T;
  }
}
