import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Ready, Reply, Request } from "./protocol.ts";

/** Seconds in which a system must start, and in which it must answer. */
const patience = { start: 120, answer: 300 };

/** The process of a system. It computes only between a request and its answer. */
export class Worker {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #end: Promise<string>;
  #complaints = "";
  #ended = false;
  /** Milliseconds from the start of the process to its first word. */
  startMs = 0;
  ready!: Ready;

  private constructor(command: readonly string[], env: Readonly<Record<string, string>>) {
    const [program, ...args] = command;
    this.#child = spawn(program!, args, { env: { ...process.env, ...env } });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-4000);
    });
    this.#child.stdin.on("error", () => {});
    this.#end = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#ended = true;
        resolve(`it ended with ${how}: ${gist(this.#complaints)}`);
      };
      this.#child.on("error", (error) => end(error.message));
      this.#child.on("close", (code, signal) => end(signal ?? `code ${code}`));
    });
  }

  /** Starts a process and waits until it is ready; throws with its error output. */
  static async start(
    command: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Worker> {
    const started = performance.now();
    const worker = new Worker(command, env);
    worker.ready = await worker.#next<Ready>(patience.start);
    worker.startMs = performance.now() - started;
    return worker;
  }

  /** Sends one request; throws if the process ended, was too slow, or reports a failure. */
  async ask(request: Request): Promise<Reply> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const reply = await this.#next<Reply>(patience.answer);
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply;
  }

  async #next<Message>(seconds: number): Promise<Message> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.stop();
        reject(new Error(`no answer in ${seconds} s`));
      }, seconds * 1000);
    });
    try {
      const { value, done } = await Promise.race([this.#lines.next(), late]);
      if (done !== true) return JSON.parse(value) as Message;
    } finally {
      clearTimeout(timer);
    }
    throw new Error(await this.#end);
  }

  get ended(): boolean {
    return this.#ended;
  }

  stop(): void {
    this.#ended = true;
    this.#child.stdin.end();
    this.#child.kill();
  }
}

/** The most informative line of an error output: the last that names an error, or else the last. */
function gist(text: string): string {
  const lines = text.trim().split("\n");
  const said = lines.findLast((line) => /\w*Error\b/.test(line)) ?? lines.at(-1);
  return said?.trim() || "no word why";
}
