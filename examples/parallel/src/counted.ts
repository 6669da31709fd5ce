import type { Transport } from "@chronograd/nn/parallel";

/** A transport that counts what it moves. */
export interface Counted extends Transport {
  /** Bytes that this worker has sent to the others. */
  readonly bytes: number;
  /** Exchanges that it took part in. */
  readonly exchanges: number;
}

/** The transport, counted. */
export function counted(transport: Transport): Counted {
  const { rank, size, messageBytes } = transport;
  let [sent, exchanges] = [0, 0];
  const count = (bytes: number) => {
    sent += bytes * (size - 1);
    exchanges++;
  };
  return {
    rank,
    size,
    messageBytes,
    get message() {
      return transport.message;
    },
    allGather(bytes, where) {
      count(bytes);
      return transport.allGather(bytes, where);
    },
    allToAll(bytes, where) {
      count(bytes);
      return transport.allToAll(bytes, where);
    },
    broadcast(bytes, root, where) {
      count(rank === root ? bytes : 0);
      return transport.broadcast(bytes, root, where);
    },
    get bytes() {
      return sent;
    },
    get exchanges() {
      return exchanges;
    },
  };
}
