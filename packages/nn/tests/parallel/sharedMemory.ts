import { SharedMemory } from "../../src/parallel.ts";
import type { Connect } from "./conformance.ts";

const connect: Connect<SharedArrayBuffer> = (buffer, rank) => {
  const transport = new SharedMemory(buffer, rank);
  return { transport, leave: () => transport.leave("stopped") };
};
export default connect;
