import type { Backend } from "../tensor/backend.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { leaves, type MapTree, map } from "../tensor/tree.ts";
import { Held, Plan, type TracedPhase } from "./plan.ts";
import type { Call } from "./program.ts";
import { reasonOf, TraceBackend } from "./trace.ts";

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
  /** What was recorded, as it came. */
  readonly #calls: readonly Call[];

  private constructor(plan: Plan, like: Inputs, calls: readonly Call[]) {
    this.#plan = plan;
    this.#like = like;
    this.#calls = calls;
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
    const [first] = leaves(inputs);
    if (first === undefined) return "its inputs hold no tensor";
    return recording((record) => {
      const other = record(f, inputs, cotangents, first.backend);
      const { trace, phases } = record(f, inputs, cotangents, first.backend);
      if (!areAlike(trace.calls, other.trace.calls, first.backend)) {
        return "it does not do the same twice: random numbers, or a state of its own";
      }
      other.trace.release();
      const { calls } = trace;
      return new RecordedFunction<Inputs, Value, Gradient>(
        new Plan(first.backend, trace, phases),
        // The shapes of the inputs, without the inputs.
        map(inputs, ({ shape, dtype }: Tensor) => ({ shape, dtype })) as Inputs,
        calls,
      );
    });
  }

  /** Whether a function still does what was recorded: it may have read something from outside that has changed. */
  isStill(
    f: (inputs: Inputs) => Pulled<Value, Gradient>,
    inputs: Inputs,
    cotangents: readonly unknown[],
  ): boolean {
    const { backend } = this.#plan;
    const found = recording((record) => {
      const { trace } = record(f, inputs, cotangents, backend);
      const isSame = areAlike(trace.calls, this.#calls, backend);
      trace.release();
      return isSame;
    });
    return found === true;
  }

  /** Whether inputs have the structure, shapes and dtypes of those that were recorded, and indices in range. */
  accepts(inputs: Inputs): boolean {
    return isLike(inputs, this.#like) && this.#plan.accepts(leaves(inputs));
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
    const standIn = <T>(tree: T) => map(tree, (x: Tensor) => trace.input(x)) as T;
    const { value, pullbacks } = f(standIn(inputs));
    const phases: TracedPhase[] = [{ firstInput: 0, result: value }];
    for (const [i, pullback] of pullbacks.entries()) {
      trace.nextPhase();
      const firstInput = trace.slots;
      phases.push({ firstInput, result: pullback(standIn(cotangents[i])) });
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

/** Equal calls; constants are equal where they hold the same bytes. */
function areAlike(a: readonly Call[], b: readonly Call[], backend: Backend): boolean {
  if (a.length !== b.length) return false;
  const { float64, int32 } = backend.memory.views;
  /** The first element of a constant. */
  const valueAt = (address: number, isDouble: boolean) =>
    isDouble ? float64[address / 8] : int32[address / 4];
  return a.every((call, at) => {
    const other = b[at]!;
    return (
      call.kernel === other.kernel &&
      call.args.every((value, i) => {
        if (call.buffers[i] !== other.buffers[i]) return false;
        if (Object.is(value, other.args[i])) return true;
        const isConstant = "rwu".includes(call.signature[i]!) && call.buffers[i]! < 0;
        // Constants are made anew for each record.
        const isDouble = call.kernel.startsWith("float64");
        const [mine, theirs] = [value, other.args[i]!].map((at) => valueAt(at, isDouble));
        return isConstant && Object.is(mine, theirs);
      })
    );
  });
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
