/// <reference types="node" />
import { fstatSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { isMainThread } from "node:worker_threads";
import { checkOptions } from "@chronograd/autodiff/internal";
import { agree } from "../agreement.ts";
import { type Communicator, selfCommunicator } from "../communicator.ts";
import { createCommunicator } from "../createCommunicator.ts";
import { checkMessageBytes } from "../transport.ts";
import { endTogether } from "./ending.ts";
import { findLibrary, started } from "./findLibrary.ts";
import { findKoffi } from "./koffi.ts";
import { type Launcher, launcherOf } from "./launcher.ts";
import { bind, type MpiLibrary } from "./library.ts";
import { MpiTransport, messageBytesFor } from "./mpiTransport.ts";
import { type Patience, sleep } from "./waiting.ts";

/** How processes exchange messages. */
export interface MpiOptions {
  /**
   * Bytes that each rank can send at once, a multiple of 8, the same on all ranks; larger trees go
   * in parts. 1 MiB unless given.
   */
  readonly messageBytes?: number;
}

/** Milliseconds that the first rank has to say what all would say. */
const patience = 2000;

/** What the first call made, and with which option: one of a process, whatever copies it has. */
interface Made {
  readonly communicator: Communicator;
  readonly asked: number | undefined;
}
const key = Symbol.for("@chronograd/nn: mpi");
const shared = globalThis as { [key]?: Made };

/**
 * The communicator of a program that `mpiexec` runs in several processes, on one machine or on
 * many: `mpiexec -n 4 node train.mjs` runs the script that ran alone. Without `mpiexec`, it is
 * `selfCommunicator`, and no MPI library is looked for.
 *
 * It needs an MPI library of the system (MPI 3.0 or later: Open MPI, MPICH, Intel MPI, or any with
 * the standard ABI of MPI 5.0), the same as that of the `mpiexec` that started the program, and the
 * optional package koffi. The environment's `CHRONOGRAD_MPI` can name the library, or say `off`:
 * then each process runs alone. MPI is initialized by the first call, and finalized when the
 * process ends, which waits for all other ranks. When a rank throws, exits with a code other than
 * 0, or returns while another one waits for it, all end, with a sentence that names it. Call it on
 * the main thread.
 *
 * @returns the same communicator each time
 * @throws when no library fits the launcher, on a worker thread, and where ranks came with
 *   different options or versions
 *
 * @example
 * ```ts
 * import { mpi } from "@chronograd/nn/node";
 *
 * // The same on every rank; alone here.
 * const communicator = mpi();
 * communicator.allReduce({ loss: 2 }).loss / communicator.size; // => 2
 * ```
 */
export function mpi(options: MpiOptions = {}): Communicator {
  checkOptions("mpi", options, ["messageBytes"]);
  const { messageBytes } = options;
  if (messageBytes !== undefined) checkMessageBytes(messageBytes, "mpi");
  if (!isMainThread) {
    throw new Error(
      "mpi: a worker thread cannot call it, because MPI is the main thread's alone; call it there, and let runWorkers give workers their communicator",
    );
  }
  shared[key] ??= { communicator: made(messageBytes), asked: messageBytes };
  const { communicator, asked } = shared[key];
  if (messageBytes === undefined || messageBytes === asked) return communicator;
  throw new Error(
    `mpi: it was called with messageBytes ${asked ?? "left out"} before, got ${messageBytes}; all calls of a process share one communicator`,
  );
}

function made(messageBytes: number | undefined): Communicator {
  const wish = process.env.CHRONOGRAD_MPI;
  const launcher = wish === "off" ? undefined : launcherOf(process.env);
  if (launcher === undefined || launcher.size === 1) return selfCommunicator;
  return ofRank(launcher, wish, messageBytes);
}

/** The communicator of one rank of several. */
function ofRank(launcher: Launcher, wish: string | undefined, messageBytes?: number): Communicator {
  let library: MpiLibrary;
  try {
    library = initialized(launcher, wish);
  } catch (error) {
    if ((launcher.localRank ?? launcher.rank) > 0) leaveToFirst(error);
    throw error;
  }
  const transport = new MpiTransport(
    library,
    messageBytesFor(sizeOf(library), messageBytes),
    patienceOf(launcher, library),
  );
  endTogether(library, transport);
  checkMessages(transport);
  agree(transport, "mpi", [`@chronograd/nn ${version()}`]);
  return createCommunicator(transport);
}

/**
 * All ranks of a machine find the same fault, and have no way yet to let one speak for all: the
 * others come later, and say nothing if nobody catches the error.
 */
function leaveToFirst(fault: unknown): void {
  sleep(patience);
  process.once("uncaughtException", (error) => {
    if (error !== fault) console.error(error);
    process.exit(1);
  });
}

/** How ranks wait: where they outnumber the cores, they share them from the first look on. */
export function patienceOf({ localSize = 1 }: Launcher, { yieldCore }: MpiLibrary): Patience {
  return { spin: localSize > cpus().length ? 0 : 0.05, share: 1, yieldCore };
}

/** The library that fits the launcher, initialized. */
export function initialized(launcher: Launcher, wish: string | undefined): MpiLibrary {
  const koffi = findKoffi();
  if (koffi === undefined) {
    throw new Error(
      `mpi: ${started(launcher)}, and the optional package koffi, through which MPI is called, is not installed; npm install koffi`,
    );
  }
  checkFile(launcher);
  // V8 needs SIGSEGV for the traps of WebAssembly, and UCX, below MPI, would take it for an error.
  process.env.UCX_ERROR_SIGNALS ??= "SIGILL,SIGBUS,SIGFPE";
  const library = bind(koffi, findLibrary(koffi, launcher, wish));
  const { call, abi, memory } = library;
  if (isInitialized(library)) {
    throw new Error(
      `mpi: another module of this process has initialized ${library.name}, and would finalize it while others wait; leave MPI to one of the two`,
    );
  }
  call.Init_thread(0, 0, abi.threadFunneled, memory(8).address);
  const size = sizeOf(library);
  if (launcher.size !== undefined && size !== launcher.size) {
    throw new Error(
      `mpi: ${started(launcher)}, and ${library.name} counts ${size}; let CHRONOGRAD_MPI name the library that belongs to the launcher (for srun, see srun --mpi=list)`,
    );
  }
  return library;
}

function isInitialized({ call, memory }: MpiLibrary): boolean {
  const { address, buffer } = memory(8);
  call.Initialized(address);
  return new Int32Array(buffer, 0, 1)[0] !== 0;
}

function sizeOf({ call, abi, memory }: MpiLibrary): number {
  const { address, buffer } = memory(8);
  call.Comm_size(abi.world, address);
  return new Int32Array(buffer, 0, 1)[0]!;
}

/** Throws a sentence if the socket through which the launcher speaks is not open here. */
function checkFile(launcher: Launcher): void {
  const { file, name } = launcher;
  if (file === undefined || isSocket(file)) return;
  throw new Error(
    `mpi: ${started(launcher)}, and its socket (PMI_FD=${file}) did not come through to it, because a program between the two closed it; let ${name} start node itself, not npm or npx: mpiexec -n 4 node train.mjs`,
  );
}

/** A number that the launcher's socket no longer has may be that of another file by now. */
function isSocket(file: number): boolean {
  try {
    return fstatSync(file).isSocket();
  } catch {
    return false;
  }
}

/** Throws a sentence on all ranks unless their messages are of one length. */
function checkMessages(transport: MpiTransport): void {
  const { message, messageBytes } = transport;
  new Int32Array(message.buffer, message.byteOffset, 2).set([messageBytes, 0]);
  const all = transport
    .allGather(8, "mpi")
    .map(({ buffer, byteOffset }) => new Int32Array(buffer, byteOffset, 1)[0]!);
  const other = all.findIndex((bytes) => bytes !== all[0]);
  if (other === -1) return;
  throw new TypeError(
    `mpi: messageBytes must be the same on all workers, got ${all[0]} on worker 0 of ${all.length} and ${all[other]} on worker ${other}`,
  );
}

/** Of this package; none in a bundle, which has one version anyway. */
function version(): string {
  try {
    const path = new URL("../../../package.json", import.meta.url);
    return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
  } catch {
    return "";
  }
}
