import { type Backend, defaultBackend } from "../tensor/backend.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { reasonOf, tracing } from "../tensor/tracing.ts";
import { leaves, type MapTree, map } from "../tensor/tree.ts";
import type { TracedPhase } from "./phase.ts";
import { guardFailed, Held, Plan } from "./plan.ts";
import { TraceBackend } from "./trace.ts";
import { Transcript } from "./transcript.ts";

/** What a recorded function gives: its value, and functions from cotangents to gradients. */
export interface Pulled<Value, Gradient> {
  readonly value: Value;
  readonly pullbacks: readonly ((cotangents: unknown) => Gradient)[];
}

/** One forward run, waiting to be pulled back. */
export interface ForwardRun<Value> {
  readonly value: Value;
  /** @internal */
  readonly held: Held;
  /** Returns the memory that waits. */
  end(reason: string): void;
}

/**
 * A function and its pullbacks as WebAssembly functions of their own: a forward run leaves a record, and a backward run
 * reads it whenever it likes, with whatever other runs in between.
 */
export class RecordedFunction<Inputs, Value, Gradient> {
  readonly #plan: Plan;
  readonly #like: Inputs;

  private constructor(plan: Plan, like: Inputs) {
    this.#plan = plan;
    this.#like = like;
  }

  /**
   * Records a function twice, and plans it if both records are the same.
   *
   * @param cotangents for each pullback, a tree like what it will get
   * @returns the runs, or the reason why the function cannot be recorded
   */
  static plan<Inputs, Value, Gradient>(
    f: (inputs: Inputs) => Pulled<Value, Gradient>,
    inputs: Inputs,
    cotangents: readonly unknown[],
  ): RecordedFunction<Inputs, Value, Gradient> | string {
    const backend = backendOf(inputs);
    return recording((record) => {
      const other = transcriptOf(record(f, inputs, cotangents, backend));
      const { trace, phases } = record(f, inputs, cotangents, backend);
      const again = new Transcript(trace, resultsOf(phases));
      const difference = other.differenceTo(again);
      other.end();
      again.end();
      if (difference !== undefined) {
        trace.release();
        return `it does not do the same twice (random numbers, or a state of its own): ${difference}`;
      }
      return new RecordedFunction<Inputs, Value, Gradient>(
        new Plan(backend, trace, phases),
        shapesOf(inputs),
      );
    });
  }

  /** Whether inputs have the structure, shapes and dtypes of those that were recorded, and indices in range. */
  accepts(inputs: Inputs): boolean {
    return isLike(inputs, this.#like) && this.#plan.accepts(leaves(inputs));
  }

  /**
   * The value for tensors as they were recorded; `undefined` where an index is out of range or a guard does not hold, and
   * the function itself says it best.
   */
  replay(inputs: readonly Tensor[]): MapTree<Value, Tensor> | undefined {
    if (!this.#plan.accepts(inputs)) return undefined;
    const held = new Held();
    try {
      const value = this.#plan.run(0, inputs, held, false);
      return value === guardFailed ? undefined : (value as MapTree<Value, Tensor>);
    } finally {
      held.end("the run is over");
    }
  }

  /** Throws a sentence when a value from outside was consumed since it was recorded. */
  checkConstants(): void {
    this.#plan.checkConstants();
  }

  /** Runs forward; the caller ends the run. */
  forward(inputs: Inputs): ForwardRun<MapTree<Value, Tensor>> {
    const held = new Held();
    const value = this.#plan.run(0, leaves(inputs), held, true) as MapTree<Value, Tensor>;
    return { value, held, end: (reason) => held.end(reason) };
  }

  /** Runs the given pullback, the first unless said otherwise. */
  backward(run: ForwardRun<unknown>, cotangents: unknown, pullback = 0): MapTree<Gradient, Tensor> {
    return this.#plan.run(1 + pullback, leaves(cotangents), run.held, false) as MapTree<
      Gradient,
      Tensor
    >;
  }

  /** Returns the plan's memory; it must not run any more. */
  end(reason: string): void {
    this.#plan.end(reason);
  }

  /** What the plan does, in words. */
  explain(): string {
    return this.#plan.explain();
  }
}

function backendOf(inputs: unknown): Backend {
  return leaves(inputs)[0]?.backend ?? defaultBackend();
}

/** What was traced. */
interface Trace {
  readonly trace: TraceBackend;
  readonly phases: readonly TracedPhase[];
}

/** Runs a function and its pullbacks on values that stand for inputs and cotangents. */
type RecordOnce = <Inputs>(
  f: (inputs: Inputs) => Pulled<unknown, unknown>,
  inputs: Inputs,
  cotangents: readonly unknown[],
  backend: Backend,
) => Trace;

/** Does something with records; the reason where a function cannot be recorded. */
function recording<Result>(work: (record: RecordOnce) => Result): Result | string {
  const traces: TraceBackend[] = [];
  const record: RecordOnce = (f, inputs, cotangents, backend) => {
    const trace = new TraceBackend(backend);
    traces.push(trace);
    const standIn = <T>(tree: T) => {
      /** What is given twice is one value in the function too. */
      const given = new Map<Tensor, Tensor>();
      return map(tree, (x: Tensor) => {
        const own = trace.input(x);
        if (!given.has(x)) given.set(x, own);
        return given.get(x)!;
      }) as T;
    };
    const given = standIn(inputs);
    // As they were given: the function may consume them.
    const standIns = leaves(given);
    const { value, pullbacks } = tracing(() => f(given));
    const phases: TracedPhase[] = [{ firstInput: 0, inputs: standIns, result: value }];
    for (const [i, pullback] of pullbacks.entries()) {
      trace.nextPhase();
      const firstInput = trace.slots;
      const own = standIn(cotangents[i]);
      phases.push({ firstInput, result: tracing(() => pullback(own)) });
    }
    return { trace, phases };
  };
  try {
    return scope(() => work(record));
  } catch (error) {
    for (const trace of traces) trace.release();
    const reason = reasonOf(error);
    if (reason !== undefined) return reason;
    throw error;
  }
}

/** The shapes and dtypes of a tree of tensors, without the tensors. */
function shapesOf<Inputs>(inputs: Inputs): Inputs {
  return map(inputs, ({ shape, dtype }: Tensor) => ({ shape, dtype })) as Inputs;
}

/** What each run returned. */
function resultsOf(phases: readonly TracedPhase[]): unknown[] {
  return phases.map(({ result }) => result);
}

/** A transcript that holds the constants itself. */
function transcriptOf({ trace, phases }: Trace): Transcript {
  const transcript = new Transcript(trace, resultsOf(phases));
  trace.release();
  return transcript;
}

/** What a function does with inputs of certain shapes, to be compared with what it does later. */
export class Witness<Inputs> {
  readonly #f: (inputs: Inputs) => unknown;
  readonly #like: Inputs;
  readonly #seen: Transcript;
  readonly #backend: Backend;

  private constructor(
    f: (inputs: Inputs) => unknown,
    like: Inputs,
    seen: Transcript,
    backend: Backend,
  ) {
    this.#f = f;
    this.#like = like;
    this.#seen = seen;
    this.#backend = backend;
  }

  /** Runs `f` on values that stand for the inputs; the reason where that cannot be done. */
  static of<Inputs>(f: (inputs: Inputs) => unknown, inputs: Inputs): Witness<Inputs> | string {
    const backend = backendOf(inputs);
    const seen = transcribed(f, inputs, backend);
    return typeof seen === "string" ? seen : new Witness(f, shapesOf(inputs), seen, backend);
  }

  /**
   * Runs the function on stand-ins again: what it does otherwise than before, in words; `undefined` where it does the same,
   * or where the inputs have not the shapes of those before.
   */
  differenceNow(inputs: Inputs): string | undefined {
    if (!isLike(inputs, this.#like)) return undefined;
    const now = transcribed(this.#f, inputs, this.#backend);
    if (typeof now === "string") return now;
    const difference = this.#seen.differenceTo(now);
    now.end();
    return difference;
  }

  end(): void {
    this.#seen.end();
  }
}

function transcribed<Inputs>(
  f: (inputs: Inputs) => unknown,
  inputs: Inputs,
  backend: Backend,
): Transcript | string {
  const whole = (given: Inputs) => ({ value: f(given), pullbacks: [] });
  return recording((record) => transcriptOf(record(whole, inputs, [], backend)));
}

function isLike(value: unknown, like: unknown): boolean {
  if (value instanceof Tensor) {
    const { shape, dtype } = (like ?? {}) as Partial<Tensor>;
    const isPlain = value.tape === null && value.dtype === dtype;
    return isPlain && shape !== undefined && sameShape(value.shape, shape);
  }
  if (typeof value !== "object" || value === null) return Object.is(value, like);
  if (typeof like !== "object" || like === null) return false;
  const entries = Object.entries(value);
  const others = like as Record<string, unknown>;
  return (
    entries.length === Object.keys(others).length &&
    entries.every(([key, part]) => key in others && isLike(part, others[key]))
  );
}
