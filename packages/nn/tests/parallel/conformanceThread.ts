// A thread that is one rank of a transport, and tells what is wrong with it.
import { parentPort, workerData } from "node:worker_threads";
import { type Connect, conformance } from "./conformance.ts";

export interface Assignment {
  /** The transport's file; its default export is a `Connect`. */
  readonly file: string;
  /** What it is called with, one after the other. */
  readonly connections: readonly unknown[];
  readonly rank: number;
  readonly size: number;
  readonly seed: number;
}

const { file, connections, rank, size, seed } = workerData as Assignment;
const { default: connect } = (await import(file)) as { default: Connect<unknown> };
const faults = connections.map((each) => conformance(connect(each, rank, size), seed));
parentPort?.postMessage(faults.flat());
