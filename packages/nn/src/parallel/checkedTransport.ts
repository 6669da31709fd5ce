import { shown } from "../checks.ts";
import { checkRank } from "./communicator.ts";
import { SharedMemory } from "./sharedMemory.ts";
import { checkMessageBytes, type Transport } from "./transport.ts";

/**
 * The transport, with checks of what its exchanges return; of shared memory that is known, and a
 * small sum would take 3 % longer. Throws a sentence if it is no transport.
 */
export function checkedTransport(transport: Transport): Transport {
  if (transport instanceof SharedMemory) return transport;
  const where = "createCommunicator";
  if (typeof transport !== "object" || transport === null) {
    throw new TypeError(`${where}: expected a transport, got ${shown(transport)}`);
  }
  const { rank, size, messageBytes } = transport;
  checkRank(transport, where);
  checkMessageBytes(messageBytes, where);
  for (const name of ["allGather", "allToAll", "broadcast"] as const) {
    if (typeof transport[name] !== "function") {
      throw new TypeError(
        `${where}: ${name} of the transport must be a function, got ${shown(transport[name])}`,
      );
    }
  }
  const { message } = transport;
  if (!ArrayBuffer.isView(message) || message.byteLength < messageBytes || !linesUp(message)) {
    const got = ArrayBuffer.isView(message)
      ? `${message.byteLength} from byte ${message.byteOffset} of its buffer on`
      : shown(message);
    throw new TypeError(
      `${where}: message of the transport must be a Uint8Array of messageBytes = ${messageBytes} bytes, aligned to 8, got ${got}`,
    );
  }
  return {
    rank,
    size,
    messageBytes,
    get message() {
      return transport.message;
    },
    allGather: (bytes, what) =>
      received(transport.allGather(bytes, what), size, bytes, what, "allGather"),
    allToAll(bytes, what) {
      const end = Math.min((rank + 1) * bytes, messageBytes);
      return received(transport.allToAll(bytes, what), size, end, what, "allToAll");
    },
    broadcast(bytes, root, what) {
      const messages = [transport.broadcast(bytes, root, what)];
      return received(messages, 1, bytes, what, "broadcast", root)[0]!;
    },
  };
}

/** Whether words can be read from a message. */
function linesUp({ byteOffset }: Uint8Array): boolean {
  return byteOffset % 8 === 0;
}

/** What an exchange returned, copied where words do not line up; the first is worker `root`'s. */
function received(
  messages: readonly Uint8Array[],
  count: number,
  bytes: number,
  what: string,
  exchange: string,
  root = 0,
): readonly Uint8Array[] {
  const fail = (expected: string, got: string): never => {
    throw new TypeError(
      `${what}: ${exchange} of the transport must return ${expected}, got ${got}; exchanges are synchronous, see Transport`,
    );
  };
  if (!Array.isArray(messages) || messages.length !== count) {
    const got = Array.isArray(messages) ? `length ${messages.length}` : shown(messages);
    fail(`an array of length ${count}, a message from each worker`, got);
  }
  let linedUp = true;
  for (let r = 0; r < count; r++) {
    const message = messages[r]!;
    if (!ArrayBuffer.isView(message) || message.byteLength < bytes) {
      const got = ArrayBuffer.isView(message) ? `${message.byteLength} bytes` : shown(message);
      fail(`a Uint8Array of at least ${bytes} bytes from worker ${root + r}`, got);
    }
    linedUp &&= linesUp(message);
  }
  if (linedUp) return messages;
  return messages.map(
    ({ buffer, byteOffset }) => new Uint8Array(buffer.slice(byteOffset, byteOffset + bytes)),
  );
}
