// Transports with a fault each, which the conformance program must find.
import type { Transport } from "../../src/parallel.ts";
import type { Connect } from "./conformance.ts";
import connectMemory from "./sharedMemory.ts";

interface Planted {
  readonly fault: keyof typeof faults;
  readonly buffer: SharedArrayBuffer;
}

const faults = {
  "two ranks swapped in allToAll": (right: Transport): Partial<Transport> => ({
    allToAll: (bytes, where) => {
      const [first, second, ...others] = right.allToAll(bytes, where);
      return [second!, first!, ...others];
    },
  }),
  "a message cut short": (right: Transport): Partial<Transport> => ({
    allGather: (bytes, where) =>
      right.allGather(bytes, where).map((message) => message.slice().fill(0, bytes - 1)),
  }),
  "what was received changes with the next message": (right: Transport): Partial<Transport> => {
    const message = new Uint8Array(right.messageBytes);
    return {
      message,
      broadcast: (bytes, root, where) => {
        right.message.set(message);
        message.set(right.broadcast(bytes, root, where));
        return message;
      },
      allGather: (bytes, where) => {
        right.message.set(message);
        return right.allGather(bytes, where);
      },
      allToAll: (bytes, where) => {
        right.message.set(message);
        return right.allToAll(bytes, where);
      },
    };
  },
  "waits for ever for a worker that is gone": (): Partial<Transport> => ({}),
};

const connect: Connect<Planted> = ({ fault, buffer }, rank, size) => {
  const { transport, leave } = connectMemory(buffer, rank, size);
  const { messageBytes } = transport;
  const right: Transport = {
    rank,
    size,
    messageBytes,
    get message() {
      return transport.message;
    },
    allGather: (bytes, where) => transport.allGather(bytes, where),
    allToAll: (bytes, where) => transport.allToAll(bytes, where),
    broadcast: (bytes, root, where) => transport.broadcast(bytes, root, where),
  };
  const wrong = Object.defineProperties(
    right,
    Object.getOwnPropertyDescriptors(faults[fault](transport)),
  );
  return { transport: wrong, leave: fault.startsWith("waits") ? () => {} : leave };
};
export default connect;
