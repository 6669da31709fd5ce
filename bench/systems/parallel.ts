// Training steps by several workers, each with its own rows of the batch.
import { readFileSync } from "node:fs";
import { defaultBackend } from "@chronograd/autodiff";
import { runWorkers } from "@chronograd/nn/node";
import type { Request } from "../protocol.ts";
import { type Outcome, type Subject, serve } from "../serve.ts";
import { type Control, done, order } from "./control.ts";

const manifest = new URL("../../packages/rnn/package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
const workers = Number(process.argv[2]);

let running: Promise<unknown> = Promise.resolve();
let current: Control | undefined;

/** Ends the workers of the case before. */
async function endCurrent(): Promise<void> {
  if (current !== undefined) {
    Atomics.store(current.words, order, -1);
    Atomics.notify(current.words, order);
  }
  await running;
}

async function trainInWorkers(request: Request): Promise<Subject> {
  await endCurrent();
  const control: Control = {
    words: new Int32Array(new SharedArrayBuffer(8)),
    said: new Float64Array(new SharedArrayBuffer(24)),
  };
  current = control;
  const { kind, config, problem } = request;
  const input = { request: { kind, config, problem }, control };
  let failure: unknown;
  running = runWorkers(new URL("./parallelWorker.ts", import.meta.url), { workers, input }).catch(
    (error: unknown) => {
      failure = error;
      Atomics.store(control.words, done, -1);
      Atomics.notify(control.words, done);
    },
  );
  return {
    async step(): Promise<Outcome> {
      const before = Atomics.load(control.words, done);
      Atomics.add(control.words, order, 1);
      Atomics.notify(control.words, order);
      await Atomics.waitAsync(control.words, done, before).value;
      if (failure !== undefined) throw failure;
      const [ms, loss, norm] = control.said as unknown as [number, number, number];
      return { ms, loss, norm };
    },
    facts: () => ({ workers }),
  };
}

await serve(
  { versions: { chronograd: version }, note: `${workers} x ${defaultBackend().kernels.name}` },
  { train: trainInWorkers, minibatch: trainInWorkers },
);
await endCurrent();
