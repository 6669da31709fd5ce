import { type Backend, createBackend } from "@chronograd/autodiff";
import { ThreadPool } from "../../src/threads/pool.ts";
import { type SharedProgram, shareProgram } from "../../src/threads/program.ts";

/**
 * `run0` adds 1 to the number at its frame, `run1` cannot be run, and `run2` does not end:
 *
 * ```text
 * (import "env" "memory" (memory 0))
 * (func (export "run0") (param i32) (i32.store (local.get 0) (i32.add (i32.load (local.get 0)) (i32.const 1))))
 * (func (export "run1") (param i32) unreachable)
 * (func (export "run2") (param i32) (loop (br 0)))
 * ```
 */
// biome-ignore format: one section a line: header, types, imports, functions, exports, code
const module = Uint8Array.of(
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x05, 0x01, 0x60, 0x01, 0x7f, 0x00,
  0x02, 0x0f, 0x01, 0x03, ...text("env"), 0x06, ...text("memory"), 0x02, 0x00, 0x00,
  0x03, 0x04, 0x03, 0x00, 0x00, 0x00,
  0x07, 0x16, 0x03,
  0x04, ...text("run0"), 0x00, 0x00, 0x04, ...text("run1"), 0x00, 0x01, 0x04, ...text("run2"), 0x00, 0x02,
  0x0a, 0x1d, 0x03,
  0x0f, 0x00, 0x20, 0x00, 0x20, 0x00, 0x28, 0x02, 0x00, 0x41, 0x01, 0x6a, 0x36, 0x02, 0x00, 0x0b,
  0x03, 0x00, 0x00, 0x0b,
  0x07, 0x00, 0x03, 0x40, 0x0c, 0x00, 0x0b, 0x0b,
);

function text(letters: string): Uint8Array {
  return new TextEncoder().encode(letters);
}

const stride = 128;

/** A pool with a program that counts, and numbers that it counts in. */
export class Counting {
  readonly backend: Backend = createBackend({ kernels: "simd" });
  readonly pool: ThreadPool = ThreadPool.of(this.backend) as ThreadPool;
  readonly #frames = this.backend.memory.allocate(255 * stride);
  program: SharedProgram = this.share(module);

  constructor(threads: number) {
    this.backend.memory.views.uint8.fill(0, this.#frames, this.#frames + 255 * stride);
    this.pool.start(threads);
  }

  /** Shares a program, by default the same one once more, in memory of its own. */
  share(code: Uint8Array<ArrayBuffer> = module): SharedProgram {
    const { memory } = this.backend;
    const unlinked = { module: code, links: [] };
    return shareProgram(unlinked, [0, 0, 0, 0], memory, (bytes) => memory.allocate(bytes));
  }

  /**
   * Runs so many tasks, and throws where one did not run once; `own` runs in those of the caller.
   */
  run(tasks: number, threads: number, phase = 0, own = (_frame: number): void => {}): void {
    const { views } = this.backend.memory;
    const before = this.counts(tasks);
    const frames = this.#frames;
    const count = (task: number) => {
      const frame = frames + task * stride;
      own(frame);
      views.int32[frame / 4]!++;
    };
    const { program } = this;
    this.pool.run({ program, phase, runs: 0, tasks, frames, stride, threads }, count);
    const after = this.counts(tasks);
    const wrong = after.findIndex((n, task) => n !== before[task]! + 1);
    if (wrong >= 0) throw new Error(`task ${wrong} ran ${after[wrong]! - before[wrong]!} times`);
  }

  /**
   * Waits, in a task of the caller, until a thread has done another one: seconds, on a busy
   * machine.
   */
  waits(): () => void {
    const before = this.pool.done;
    const idle = new Int32Array(new SharedArrayBuffer(4));
    return () => {
      const end = performance.now() + 10_000;
      while (this.pool.done === before && performance.now() < end) Atomics.wait(idle, 0, 0, 1);
    };
  }

  counts(tasks: number): number[] {
    const { int32 } = this.backend.memory.views;
    return Array.from({ length: tasks }, (_, task) => int32[(this.#frames + task * stride) / 4]!);
  }

  /** Waits until so many threads have started. */
  async up(threads: number): Promise<this> {
    while (!this.pool.isUp(threads)) await new Promise((done) => setTimeout(done, 2));
    return this;
  }
}
