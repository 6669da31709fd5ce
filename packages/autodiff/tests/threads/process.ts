// What happens to a process with a pool: node process.ts <case>.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createBackend } from "@chronograd/autodiff";
import { ThreadPool } from "../../src/threads/pool.ts";
import { Counting } from "./handmade.ts";
import { given, model, planned, run } from "./sharded.ts";

const say = (what: unknown): void => console.log(JSON.stringify(what));
const idle = new Int32Array(new SharedArrayBuffer(4));
const slow = (): void => void Atomics.wait(idle, 0, 0, 20);

function statOf(task: string): string | undefined {
  try {
    return readFileSync(`/proc/self/task/${task}/stat`, "utf8");
  } catch {
    return undefined;
  }
}

/** Threads of pools, and the ticks of 10 ms that each has run (proc(5)). */
function threads(): Map<string, number> {
  const found = new Map<string, number>();
  for (const task of readdirSync("/proc/self/task")) {
    const stat = statOf(task);
    // It has ended since.
    if (stat === undefined) continue;
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (name.startsWith("chronograd")) found.set(task, Number(fields[11]) + Number(fields[12]));
  }
  return found;
}

/** A backend whose threads have run a plan. */
async function used() {
  const backend = createBackend();
  const parts = [0, 1, 2, 3].map((i) => given(6, 16, 10 * i, backend));
  const plan = planned(model, parts[0]!, { count: 4, threads: 3, isFixed: true });
  const pool = ThreadPool.of(backend) as ThreadPool;
  run(plan, parts);
  while (!pool.isUp(3)) await delay(1);
  run(plan, parts);
  return { plan, parts, pool };
}

const cases: Readonly<Record<string, () => unknown>> = {
  async idle() {
    const { plan, parts } = await used();
    await delay(50);
    const [ticks, cpu] = [threads(), process.cpuUsage()];
    await delay(500);
    const { user, system } = process.cpuUsage(cpu);
    const after = threads();
    say([ticks.size, [...ticks].map(([task, n]) => after.get(task)! - n), (user + system) / 1000]);
    run(plan, parts);
    say(performance.now());
  },
  async exitsWhileAsleep() {
    await used();
    say(performance.now());
    process.exit(7);
  },
  async exitsWhileComputing() {
    const counting = await new Counting(2).up(2);
    const { wait } = Atomics;
    Atomics.wait = () => "timed-out";
    try {
      counting.run(2, 2, 2, () => void wait(idle, 0, 0, 20));
    } catch (error) {
      say((error as Error).message);
    }
    process.exit(7);
  },
  /** The backend is dropped in a loop with turns of the event loop. */
  async dropped() {
    await used();
    say(threads().size);
    for (let i = 0; i < 100 && threads().size > 0; i++) {
      globalThis.gc!();
      await delay(10);
    }
    say(threads().size);
  },
  async inAWorker() {
    const worker = new Worker(import.meta.filename, { argv: ["exitsInside"] });
    await new Promise((done) => worker.once("exit", done));
    say(threads().size);
  },
  async exitsInside() {
    const counting = await new Counting(2).up(2);
    for (let i = 0; i < 5; i++) counting.run(4, 2, 0, slow);
    say(counting.pool.done > 0);
  },
};
await cases[process.argv[2]!]!();
