import { createInterface } from "node:readline";
import {
  checkedSteps,
  type Kind,
  type Ready,
  type Reply,
  type Request,
  trains,
} from "./protocol.ts";

/**
 * The result of a step: loss and gradient norm if it trains; its time if only a part of the step
 * counts.
 */
export interface Outcome {
  readonly loss?: number;
  readonly norm?: number;
  readonly ms?: number;
}

/** A case that is ready to run. */
export interface Subject {
  step(): Outcome | Promise<Outcome>;
  facts?(): Record<string, number | string>;
}

export type Maker = (request: Request) => Subject | Promise<Subject>;

/**
 * Answers requests on standard input until it closes. What a library prints goes to standard error.
 */
export async function serve(
  ready: Omit<Ready, "ready">,
  makers: Partial<Record<Kind, Maker>>,
): Promise<void> {
  const say = (value: Ready | Reply): void => {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  };
  console.log = console.error;
  console.info = console.error;
  const worker = new Server(makers);
  say({ ready: true, ...ready });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await worker.answer(JSON.parse(line) as Request));
    } catch (error) {
      worker.forget();
      say({ ms: [], error: error instanceof Error ? error.message : String(error) });
    }
  }
}

class Server {
  readonly #makers: Partial<Record<Kind, Maker>>;
  #current = "";
  #subject: Subject | undefined;

  constructor(makers: Partial<Record<Kind, Maker>>) {
    this.#makers = makers;
  }

  forget(): void {
    this.#current = "";
    this.#subject = undefined;
  }

  async answer(request: Request): Promise<Reply> {
    const began = this.#current === request.case ? {} : await this.#begin(request);
    const subject = this.#subject!;
    for (let i = 0; i < request.warm; i++) await timed(subject);
    const ms: number[] = [];
    for (let i = 0; i < request.steps; i++) ms.push((await timed(subject)).ms);
    const facts = { ...subject.facts?.(), peak_mib: process.resourceUsage().maxRSS >> 10 };
    return { ms: request.steps > 0 ? ms : (began.times ?? []), ...began.reply, facts };
  }

  async #begin(request: Request): Promise<{ reply?: Partial<Reply>; times?: number[] }> {
    this.forget();
    const maker = this.#makers[request.kind];
    if (maker === undefined) throw new Error(`this system has no case of kind ${request.kind}`);
    const started = performance.now();
    const subject = await maker(request);
    const losses: number[] = [];
    const norms: number[] = [];
    const times: number[] = [];
    let first = 0;
    const count = trains(request.kind) ? checkedSteps : 1;
    for (let i = 0; i < count; i++) {
      const { ms, loss, norm } = await timed(subject);
      if (i === 0) first = performance.now() - started;
      else times.push(ms);
      if (loss !== undefined) losses.push(loss);
      if (norm !== undefined) norms.push(norm);
    }
    this.#subject = subject;
    this.#current = request.case;
    return { reply: { first_ms: first, losses, norms }, times: times.length > 0 ? times : [first] };
  }
}

async function timed(subject: Subject): Promise<Outcome & { ms: number }> {
  const started = performance.now();
  const result = subject.step();
  const outcome = result instanceof Promise ? await result : result;
  return { ...outcome, ms: outcome.ms ?? performance.now() - started };
}
