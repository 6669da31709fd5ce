import type { Communicator } from "@chronograd/nn";
import { createCommunicator, type Transport } from "@chronograd/nn/parallel";

const messageBytes = 128;

/**
 * Runs workers in one thread: by turns, each from its start until it needs what another has not
 * sent yet. Messages are short, so that trees go in parts.
 */
export function onRanks<T>(size: number, work: (communicator: Communicator) => T): T[] {
  const sent: Uint8Array[][] = [];
  const missing = new Error("not sent yet");
  const results = new Map<number, T>();
  const transportOf = (rank: number): Transport => {
    let call = 0;
    const message = new Uint8Array(messageBytes);
    const exchange = (): Uint8Array[] => {
      sent[call] ??= [];
      const messages = sent[call++]!;
      messages[rank] = message.slice();
      for (let r = 0; r < size; r++) if (messages[r] === undefined) throw missing;
      return messages.map((each) => each.slice());
    };
    const broadcast = (_: number, root: number) => exchange()[root]!;
    return {
      rank,
      size,
      messageBytes,
      message,
      allGather: exchange,
      allToAll: exchange,
      broadcast,
    };
  };
  while (results.size < size) {
    const before = sent.map((messages) => Object.keys(messages).length).join();
    for (let rank = 0; rank < size; rank++) {
      if (results.has(rank)) continue;
      try {
        results.set(rank, work(createCommunicator(transportOf(rank))));
      } catch (error) {
        if (error !== missing) throw error;
      }
    }
    const after = sent.map((messages) => Object.keys(messages).length).join();
    if (before === after && results.size < size) throw new Error("workers wait for each other");
  }
  return Array.from({ length: size }, (_, rank) => results.get(rank)!);
}
