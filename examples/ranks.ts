// What the examples need to run under mpiexec as they run alone: the ranks share each batch, and
// the first one evaluates, speaks and writes.
import { type Communicator, type Rng, rng } from "@chronograd/nn";
import { UsageError } from "chronograd/command";
import { createRun, type RunFolder, type RunOptions } from "chronograd/run";

/** A new run folder, which the first rank alone has. */
export async function runOfFirst(
  { rank }: Communicator,
  options: RunOptions,
): Promise<RunFolder | undefined> {
  return rank === 0 ? await createRun(options) : undefined;
}

/** Throws unless every rank has a row of each batch. */
export function checkRows({ size }: Communicator, flag: string, rows: number): void {
  if (rows >= size) return;
  throw new UsageError(
    `${flag}: batches of ${rows} give ${size} ranks less than a row each; start fewer ranks, or take larger batches`,
  );
}

/** A number that the first rank finds, on all of them. */
export function ofFirst(communicator: Communicator, find: () => number): number {
  return communicator.broadcast(communicator.rank === 0 ? find() : Number.NaN);
}

/** Whether the first rank says so; clocks and signals differ between ranks. */
export function isSo(communicator: Communicator, find: () => boolean): boolean {
  return ofFirst(communicator, () => Number(find())) === 1;
}

/**
 * A stream of draws that go by the rows of a rank, such as dropout: one for each rank, and that of
 * the first is the one of a run alone.
 */
export function streamOfRows(seed: number, name: string, { rank }: Communicator): Rng {
  return rng(seed, rank === 0 ? name : `${name} of rank ${rank}`);
}
