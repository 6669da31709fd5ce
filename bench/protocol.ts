/**
 * The messages between the benchmark and a system: JSON, one object a line, over standard input and
 * output. A system sends `Ready` once, then answers each `Request` with a `Reply`. It computes only
 * between the two.
 */

/** Sizes and settings of a case. */
export type Config = Readonly<Record<string, number | string>>;

/** What a case does. */
export type Kind =
  | "train"
  | "minibatch"
  | "start"
  | "ranks"
  | "product"
  | "convolution"
  | "overhead"
  | "stream";

export interface Request {
  readonly case: string;
  readonly kind: Kind;
  readonly config: Config;
  /** A file of weights and data, as `problem.ts` writes it. */
  readonly problem?: string;
  /** Steps to run untimed first. */
  readonly warm: number;
  /** Steps to time. */
  readonly steps: number;
}

export interface Ready {
  readonly ready: true;
  readonly versions: Readonly<Record<string, string>>;
  readonly note?: string;
}

export interface Reply {
  /** Milliseconds of each timed step. */
  readonly ms: readonly number[];
  /**
   * When the request began a case: milliseconds to make it and run its first step, compiling
   * included.
   */
  readonly first_ms?: number;
  /**
   * When the request began a case: the losses of its first steps, and the gradients' norms before
   * clipping.
   */
  readonly losses?: readonly number[];
  readonly norms?: readonly number[];
  /** What else the system measured, such as memory. */
  readonly facts?: Config;
  /** Why the request failed. */
  readonly error?: string;
}

/** Whether the steps of a case train: they have a problem, losses and norms. */
export function trains(kind: Kind): boolean {
  return ["train", "minibatch", "start", "ranks"].includes(kind);
}

/** The first steps of a case: they are compared with those of all other systems. */
export const checkedSteps = 3;

/** A number of a configuration. */
export function sizeOf(config: Config, name: string): number {
  const value = config[name];
  if (typeof value === "number") return value;
  throw new TypeError(`bench: the case has no ${name}`);
}
