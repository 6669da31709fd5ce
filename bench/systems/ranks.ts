// Training steps by the ranks of MPI, each with its own rows of the batch; without mpiexec, by one.
import { readFileSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { defaultBackend } from "@chronograd/autodiff";
import { mpi } from "@chronograd/nn/node";
import type { Request } from "../protocol.ts";
import { type Maker, type Subject, serve } from "../serve.ts";
import { windows } from "./train.ts";

const manifest = new URL("../../packages/rnn/package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
/**
 * Orders come over a socket and not by MPI, whose calls take all of a core while they wait: ranks
 * sleep between turns.
 */
const path = join(process.env.BENCH_FOLDER!, "ranks.sock");
const communicator = mpi();
const { rank, size } = communicator;

/** The sockets of the other ranks. */
async function followers(): Promise<Socket[]> {
  const sockets: Socket[] = [];
  if (size === 1) return sockets;
  const server = createServer((socket) => void sockets.push(socket)).listen(path);
  while (sockets.length < size - 1) await setTimeout(10);
  server.close();
  return sockets;
}

/** Steps on this rank's rows, begun by all ranks together. */
function share(request: Request): Subject {
  const { step } = windows(request, communicator);
  return {
    async step() {
      communicator.barrier();
      const started = performance.now();
      const outcome = await step();
      return { ...outcome, ms: performance.now() - started };
    },
  };
}

async function lead(): Promise<void> {
  const others = await followers();
  const order = (request: Request | null): void => {
    for (const socket of others) socket.write(`${JSON.stringify(request)}\n`);
  };
  const ranks: Maker = (request) => {
    order(request);
    const { step } = share(request);
    return {
      step() {
        order(null);
        return step();
      },
      facts: () => ({ ranks: size }),
    };
  };
  await serve(
    { versions: { chronograd: version }, note: `${size} x ${defaultBackend().kernels.name}` },
    { ranks },
  );
  for (const socket of others) socket.end();
}

/** Begins a case where a request comes, and takes a step of it at each later line. */
async function follow(): Promise<void> {
  let socket: Socket | undefined;
  while (socket === undefined) {
    socket = await connected(createConnection(path));
    if (socket === undefined) await setTimeout(10);
  }
  let subject: Subject | undefined;
  for await (const line of createInterface({ input: socket })) {
    const request = JSON.parse(line) as Request | null;
    if (request === null) await subject!.step();
    else subject = share(request);
  }
}

function connected(socket: Socket): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    socket.on("connect", () => resolve(socket)).on("error", () => resolve(undefined));
  });
}

await (rank === 0 ? lead() : follow());
