import { type Backend, defaultBackend } from "../tensor/backend.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { reasonOf, tracing } from "../tensor/tracing.ts";
import { leaves, map } from "../tensor/tree.ts";
import type { TracedPhase } from "./phase.ts";
import { TraceBackend } from "./trace.ts";
import { TraceSnapshot } from "./traceSnapshot.ts";

/** What a recorded function gives: its value, and functions from cotangents to gradients. */
export interface ValueAndPullbacks<Value, Gradient> {
  readonly value: Value;
  readonly pullbacks: readonly ((cotangents: unknown) => Gradient)[];
}

export function backendOf(inputs: unknown): Backend {
  return leaves(inputs)[0]?.backend ?? defaultBackend();
}

/** What was traced. */
export interface Trace {
  readonly trace: TraceBackend;
  readonly phases: readonly TracedPhase[];
}

/** Runs a function and its pullbacks on values that stand for inputs and cotangents. */
export type RecordOnce = <Inputs>(
  f: (inputs: Inputs) => ValueAndPullbacks<unknown, unknown>,
  inputs: Inputs,
  cotangents: readonly unknown[],
  backend: Backend,
) => Trace;

/** Does something with records; the reason where a function cannot be recorded. */
export function recording<Result>(work: (record: RecordOnce) => Result): Result | string {
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

/** What each run returned. */
export function resultsOf(phases: readonly TracedPhase[]): unknown[] {
  return phases.map(({ result }) => result);
}

/** A snapshot that holds the constants itself. */
export function snapshotOf({ trace, phases }: Trace): TraceSnapshot {
  const snapshot = new TraceSnapshot(trace, resultsOf(phases));
  trace.release();
  return snapshot;
}
