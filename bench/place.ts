import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry } from "./cases.ts";
import type { Place } from "./measure.ts";
import { writeMinibatches } from "./minibatches.ts";
import { writeProblem } from "./problem.ts";
import { trains } from "./protocol.ts";
import type { Peers } from "./setup.ts";
import { writeStart } from "./startProblem.ts";
import { Worker } from "./worker.ts";

/**
 * The processes of all systems, which run on from case to case, and a folder with the problems that
 * they read.
 */
export class Processes implements Place {
  readonly #peers: Peers;
  readonly #folder = mkdtempSync(join(tmpdir(), "chronograd-bench-"));
  readonly #workers = new Map<string, Worker>();
  readonly #hopeless = new Map<string, string>();
  readonly #problems = new Set<string>();
  /** The description that each system gave of itself, by name. */
  readonly versions: Record<string, string> = {};
  /** Other numbers that they reported. */
  readonly notes = new Map<string, string>();

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  async worker(entry: Entry): Promise<Worker> {
    const { system, threads, config } = entry;
    // In JavaScript each model has a separate process: what the engine optimized for one would slow
    // the other.
    const apart = system.need === "workspace" || system.need === "npm";
    const key = `${system.name}/${threads ?? ""}/${apart ? (config.model ?? entry.kind) : ""}`;
    const running = this.#workers.get(key);
    if (running !== undefined && !running.ended) return running;
    const worker = await this.freshWorker(entry);
    this.#workers.set(key, worker);
    return worker;
  }

  async freshWorker({ system, threads }: Entry): Promise<Worker> {
    const why = this.#hopeless.get(system.name);
    if (why !== undefined) throw new Error(why);
    const found = this.#peers.command(system.need);
    if ("missing" in found) throw new Error(found.missing);
    const env = {
      ...system.env,
      BENCH_FOLDER: this.#folder,
      ...(threads !== undefined && {
        BENCH_THREADS: String(threads),
        OMP_NUM_THREADS: String(threads),
      }),
    };
    try {
      const worker = await Worker.start([...found.command, ...system.program], env);
      Object.assign(this.versions, worker.ready.versions);
      if (worker.ready.note !== undefined) this.notes.set(system.name, worker.ready.note);
      return worker;
    } catch (error) {
      const message = `it does not start: ${(error as Error).message}`;
      this.#hopeless.set(system.name, message);
      throw new Error(message);
    }
  }

  async problem({ kind, config }: Entry): Promise<string | undefined> {
    if (!trains(kind)) return undefined;
    const family = config.model === "gru" ? "gru" : "lstm";
    const { T, H, B, shortest = T } = config;
    const path = join(this.#folder, `${kind}-${family}-${T}x${H}x${B}-${shortest}.bin`);
    if (!this.#problems.has(path)) {
      if (kind === "minibatch") writeMinibatches(path, config);
      else if (kind === "start") await writeStart(path, config);
      else writeProblem(path, family, config);
    }
    this.#problems.add(path);
    return path;
  }

  end(): void {
    for (const worker of this.#workers.values()) worker.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
