import type { Request } from "../protocol.ts";

/** How the workers of a case are told what to do: words that count orders and answers, and what the last step said. */
export interface Control {
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Milliseconds, loss, gradient norm. */
  readonly said: Float64Array<SharedArrayBuffer>;
}

/** Words: orders given (negative to end), steps done. */
export const [order, done] = [0, 1] as const;

/** What a worker gets. */
export interface Work {
  readonly request: Pick<Request, "config" | "problem">;
  readonly control: Control;
}
