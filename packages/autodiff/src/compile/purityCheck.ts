import type { Backend } from "../tensor/backend.ts";
import { Pattern } from "./pattern.ts";
import { backendOf, recording, snapshotOf } from "./traceFunction.ts";
import type { TraceSnapshot } from "./traceSnapshot.ts";

/** What a function does with inputs of certain shapes, to be compared with what it does later. */
export class PurityCheck<Inputs> {
  readonly #f: (inputs: Inputs) => unknown;
  readonly #pattern: Pattern;
  readonly #seen: TraceSnapshot;
  readonly #backend: Backend;

  private constructor(
    f: (inputs: Inputs) => unknown,
    pattern: Pattern,
    seen: TraceSnapshot,
    backend: Backend,
  ) {
    this.#f = f;
    this.#pattern = pattern;
    this.#seen = seen;
    this.#backend = backend;
  }

  /** Runs `f` on values that stand for the inputs; the reason where that cannot be done. */
  static of<Inputs>(f: (inputs: Inputs) => unknown, inputs: Inputs): PurityCheck<Inputs> | string {
    const backend = backendOf(inputs);
    const seen = snapshotNow(f, inputs, backend);
    return typeof seen === "string" ? seen : new PurityCheck(f, new Pattern(inputs), seen, backend);
  }

  /**
   * Runs the function on stand-ins again: what it does otherwise than before, in words; `undefined`
   * where it does the same, or where the inputs have not the shapes of those before.
   */
  differenceNow(inputs: Inputs): string | undefined {
    if (this.#pattern.tensorsOf(inputs) === undefined) return undefined;
    const now = snapshotNow(this.#f, inputs, this.#backend);
    if (typeof now === "string") return now;
    const difference = this.#seen.differenceTo(now);
    now.end();
    return difference;
  }

  end(): void {
    this.#seen.end();
  }
}

function snapshotNow<Inputs>(
  f: (inputs: Inputs) => unknown,
  inputs: Inputs,
  backend: Backend,
): TraceSnapshot | string {
  const whole = (given: Inputs) => ({ value: f(given), pullbacks: [] });
  return recording((record) => snapshotOf(record(whole, inputs, [], backend)));
}
