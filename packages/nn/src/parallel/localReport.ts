import type { Tensor } from "@chronograd/autodiff";
import { bytesOf } from "@chronograd/autodiff/extend";
import { isNonFinite } from "../optim/finite.ts";
import { type Communicator, WorkerError } from "./communicator.ts";

/**
 * What a worker says of its change when all average: updates made, a hash of the parameters that it
 * began with, which of the changes is the first that is not finite (from 1; 0 for none), and how
 * many of its elements are not.
 */
type Report = readonly [step: number, a: number, b: number, bad: number, count: number];

/** Values by path. */
type Named = readonly (readonly [path: string, x: Tensor])[];

/** This worker's report. */
export function reportOf(step: Tensor, starts: Named, changes: Named): Report {
  const bad = changes.findIndex(([, x]) => isNonFinite(x));
  let count = 0;
  if (bad !== -1) {
    for (const x of changes[bad]![1].toTypedArray()) if (!Number.isFinite(x)) count++;
  }
  return [step.item(), ...hash(starts), bad + 1, count];
}

/**
 * A row for each worker, of which this one fills its own: their sum is all reports.
 */
export function placed(report: Report, { rank, size }: Communicator): readonly Report[] {
  return Array.from({ length: size }, (_, worker) => (worker === rank ? report : [0, 0, 0, 0, 0]));
}

/** Throws on all workers what keeps them from averaging. */
export function checkReports(
  reports: readonly Report[],
  paths: readonly string[],
  where: string,
): void {
  const [first] = reports as readonly [Report];
  const size = reports.length;
  const late = reports.findIndex(([step]) => step !== first[0]);
  if (late !== -1) {
    throw new RangeError(
      `${where}: all workers must have made the same number of updates, got ${first[0]} on worker 0 of ${size} and ${reports[late]![0]} on worker ${late}; give all the same updates, and resume all from one checkpoint`,
    );
  }
  const other = reports.findIndex(([, a, b]) => a !== first[1] || b !== first[2]);
  if (other !== -1) {
    throw new RangeError(
      `${where}: all workers must begin with the same parameters, and worker ${other} of ${size} began with others than worker 0; draw them from one seed, or give communicator.broadcast(params) to init`,
    );
  }
  const rank = reports.findIndex(([, , , bad]) => bad > 0);
  if (rank === -1) return;
  const [step, , , bad, count] = reports[rank]!;
  const path = paths[bad - 1]!;
  const of = path === "" ? "" : ` of "${path}"`;
  const elements = count === 1 ? "an element that is" : `${count} elements that are`;
  const sentence = `${where}: the change${of} has ${elements} NaN or infinite after update ${step}; lower the learning rate, or look for where they arise`;
  throw size === 1 ? new RangeError(sentence) : new WorkerError(rank, size, sentence);
}

/** 64 bits of the bits of values: FNV-1a (Fowler, Noll & Vo) on words, with two primes. */
function hash(values: Named): readonly [number, number] {
  let [a, b] = [0x811c9dc5, 0x050c5d1f];
  for (const [, { backend, pointer, size, dtype }] of values) {
    const words = backend.memory.views.int32;
    const end = (pointer + size * bytesOf[dtype]) / 4;
    for (let i = pointer / 4; i < end; i++) {
      a = Math.imul(a ^ words[i]!, 0x01000193);
      b = Math.imul(b ^ words[i]!, 0x5bd1e995);
    }
  }
  return [a | 0, b | 0];
}
