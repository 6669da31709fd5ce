import type { Request } from "../protocol.ts";

/**
 * How the workers of a case get their orders: words that count orders and answers, and the results
 * of the last step.
 */
export interface Control {
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Milliseconds, loss, gradient norm. */
  readonly said: Float64Array<SharedArrayBuffer>;
}

/** Words: orders given (negative to end), steps done. */
export const [order, done] = [0, 1] as const;

/** What a worker gets. */
export interface Work {
  readonly request: Pick<Request, "kind" | "config" | "problem">;
  readonly control: Control;
}
