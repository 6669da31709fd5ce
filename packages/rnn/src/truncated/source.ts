import { tree } from "@chronograd/autodiff";
import { blocksMade, Region, takeOver, within } from "@chronograd/autodiff/internal";
import type { Cell } from "../cell.ts";
import { likeParams } from "../initial.ts";
import { checkRng } from "../sequences/noise.ts";
import { Preparation } from "../sequences/prepare.ts";
import { fillRows } from "../sequences/rows.ts";
import type { AnyStreamSettings } from "./options.ts";
import type { Owned, PreparedStep, TimeStep } from "./step.ts";
import {
  type AsyncStepSource,
  checkStep,
  type Sequence,
  type StepSource,
  timeSteps,
} from "./stream.ts";
import { noted } from "./unchanged.ts";

/** Why what came with a time step is gone. */
export const stepIsOver =
  "it came with a time step that is more than k2 steps back; make what all steps share outside of the stream";

/** Why what came with the last steps is gone. */
export const streamIsOver = "the stream of windows has ended";

/**
 * Something that reads steps: it yields a promise wherever it must wait for one, and gets a
 * function that returns, or throws, what became of it. Where the stream is no asynchronous one, it
 * never yields.
 */
export type Reading<T> = Generator<Promise<unknown>, T, unknown>;

/** The next value of a generator that yields promises on the way; `undefined` at the end. */
export function* nextOf<T>(
  values: Generator<T | Promise<unknown>, void, unknown>,
): Reading<T | undefined> {
  for (let each = values.next(); each.done !== true; ) {
    const { value } = each;
    if (!(value instanceof Promise)) return value;
    each = values.next(yield value);
  }
  return undefined;
}

/** What a source must know of the model to prepare steps for it. */
interface Reader {
  readonly cell: Pick<Cell<unknown, unknown>, "state" | "noise" | "initial">;
  params(): unknown;
  readonly settings: Pick<AnyStreamSettings, "rng" | "state" | "compile" | "resumed">;
}

type Read<X, Target> = IteratorResult<TimeStep<X, Target>, unknown>;

/**
 * The steps of a stream, read one after the other and prepared for the model; what they hold is
 * owned by the reader.
 */
export class Source<X, Target> {
  readonly where: string;
  /** Whether the stream is an asynchronous one. */
  readonly isAsync: boolean;
  /** What remains to be awaited after `close`. */
  closing: Promise<unknown> | undefined;
  readonly #steps: Iterator<TimeStep<X, Target>> | AsyncIterator<TimeStep<X, Target>>;
  /** Owns what all steps share. */
  readonly #shared = new Region();
  /** Holds the noise of the latest step. */
  #latest = new Region();
  #preparation: (() => Preparation) | undefined;
  #ahead: Owned<TimeStep<X, Target>> | undefined;
  #t = 0;
  #done = false;

  /** @param where the public function, whose errors are said to be */
  constructor(where: string, stream: StepSource<X, Target> | AsyncStepSource<X, Target>) {
    this.where = where;
    if (typeof stream !== "object" || stream === null) {
      throw new TypeError(
        `${where}: the stream must be an iterable of { input, target }, or { inputs, targets }, got ${stream === null ? "null" : `a ${typeof stream}`}`,
      );
    }
    this.isAsync = Symbol.asyncIterator in stream;
    this.#steps = this.isAsync
      ? (stream as AsyncStepSource<X, Target>)[Symbol.asyncIterator]()
      : (Symbol.iterator in stream
          ? (stream as Iterable<TimeStep<X, Target>>)
          : within(this.#shared, () => timeSteps<X, Target>(where, stream as Sequence)))[
          Symbol.iterator
        ]();
  }

  /** Prepares the steps for a model from now on. */
  connect({ cell, params, settings }: Reader): void {
    const { rng, state, compile, resumed } = settings;
    this.#t = resumed?.end ?? 0;
    checkRng(this.where, cell, rng);
    let made: Preparation | undefined;
    this.#preparation = () => {
      made ??= new Preparation(this.where, cell, likeParams([params(), state ?? {}]), {
        rng,
        isFresh: state === undefined && resumed === undefined,
        isUniform: compile,
        keep: (make) => within(this.#shared, make),
      });
      return made;
    };
  }

  /** To be called before the first step of a window is read: its noise is drawn anew. */
  beginWindow(): void {
    this.#preparation?.().beginWindow();
  }

  /** The next step, or `undefined` at the end. */
  *next(): Reading<Owned<PreparedStep<X, Target>> | undefined> {
    yield* this.peek();
    return this.#take();
  }

  /**
   * What is drawn for a window is needed as long as each of its steps, and for the next one: a step
   * of the burn-in is over before that comes.
   */
  #holdNoise(noise: unknown, step: Region): void {
    const latest = new Region();
    for (const x of tree.leaves(noise)) {
      step.hold(x.block);
      latest.hold(x.block);
    }
    this.#latest.end(stepIsOver);
    this.#latest = latest;
  }

  /** The next step without taking it. */
  *peek(): Reading<Owned<TimeStep<X, Target>> | undefined> {
    if (this.isAsync) yield* this.#await();
    else this.#read();
    return this.#ahead;
  }

  /** Adds steps until there are `count`, or the stream ends. */
  *fill(steps: Owned<PreparedStep<X, Target>>[], count: number): Reading<void> {
    while (steps.length < count) {
      if (this.isAsync) yield* this.#await();
      else this.#read();
      const step = this.#take();
      if (step === undefined) return;
      steps.push(step);
    }
  }

  /** Reads a step ahead, unless there is one. */
  #read(): void {
    if (this.#ahead !== undefined || this.#done) return;
    const region = new Region();
    try {
      this.#receive(within(region, () => this.#steps.next()) as Read<X, Target>, region);
    } catch (error) {
      throw this.#failed(error, region);
    }
  }

  /** As `#read`, when the step comes. What is made for it meanwhile is in no region. */
  *#await(): Reading<void> {
    if (this.#ahead !== undefined || this.#done) return;
    const region = new Region();
    const since = blocksMade();
    try {
      const came = (yield Promise.resolve(this.#steps.next())) as () => Read<X, Target>;
      const read = came();
      for (const x of tree.leaves(read?.value)) takeOver(x, region, since);
      this.#receive(read, region);
    } catch (error) {
      throw this.#failed(error, region);
    }
  }

  #receive(read: Read<X, Target>, region: Region): void {
    if (read.done === true) {
      this.#done = true;
      region.end("the stream of steps has ended");
      return;
    }
    checkStep(this.where, read.value, this.#t + 1);
    this.#ahead = { value: read.value, region };
  }

  #failed(error: unknown, region: Region): unknown {
    this.#done = true;
    region.end("the stream of steps threw");
    return error;
  }

  /** The step that was read ahead, prepared for the model. */
  #take(): Owned<PreparedStep<X, Target>> | undefined {
    if (this.#ahead === undefined) return undefined;
    const { value, region } = this.#ahead;
    this.#ahead = undefined;
    const t = ++this.#t;
    try {
      const [made, given] = within(region, () => {
        const { input, target } = value;
        const prepared = this.#preparation?.().next(value, input, t);
        // Here, and not in a plan: it can check indices only where they come from outside.
        return [prepared, fillRows({ input, target }, prepared?.mask, prepared?.first)];
      });
      if (made?.noise !== undefined) this.#holdNoise(made.noise, region);
      return { value: noted({ ...given, ...made }, region), region };
    } catch (error) {
      region.end("its step could not be prepared");
      throw error;
    }
  }

  close(): void {
    this.#ahead?.region.end(streamIsOver);
    this.#ahead = undefined;
    this.#shared.end(streamIsOver);
    this.#latest.end(streamIsOver);
    if (this.#done) return;
    this.#done = true;
    const closing: unknown = this.#steps.return?.();
    if (this.isAsync) this.closing = Promise.resolve(closing);
  }
}
