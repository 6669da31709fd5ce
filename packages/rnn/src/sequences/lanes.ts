import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { TimeStep } from "../truncated/step.ts";
import type { LaneSequence } from "./laneSequence.ts";
import { Packing } from "./packing.ts";

/** A time step of `lanes`: one step of each row's sequence. */
export interface LaneStep<X = Tensor, Target = Tensor> extends TimeStep<X, Target> {
  /** int32 `[B]`: 1 where a sequence begins. */
  readonly reset: Tensor;
  /** int32 `[B]`: 0 where a row has no sequence, because the source has no more. */
  readonly mask: Tensor;
  /** Which sequence each row is in, from 0 in the order of the source; -1 where it has none. */
  readonly sequence: readonly number[];
  /** Which step of that sequence it is, from 0; -1 where there is none. */
  readonly position: readonly number[];
}

/** Where `lanes` is, as plain JSON: with the same source it goes on there. */
export interface LanesState {
  /** The sequence that each row is in; -1 where the next one of the source begins. */
  readonly sequence: readonly number[];
  /** The step of that sequence which comes next; -1 where there is none. */
  readonly position: readonly number[];
  /** Index of the sequence that begins next. */
  readonly next: number;
}

/** How sequences are laid into lanes. */
export interface LanesOptions {
  /** Rows B of a time step. */
  readonly rows: number;
  /** Where to go on: what `getState()` gave for the same source. */
  readonly state?: LanesState;
}

/** The time steps of sequences, as `truncated` takes them. */
export interface Lanes<X = Tensor, Target = Tensor> extends Generator<LaneStep<X, Target>, void> {
  /** Where the lanes are after the last step that was asked for. */
  getState(): LanesState;
}

/** As `Lanes`, from an asynchronous source. */
export interface AsyncLanes<X = Tensor, Target = Tensor>
  extends AsyncGenerator<LaneStep<X, Target>, void> {
  /** Where the lanes are after the last step that came. */
  getState(): LanesState;
}

/** Sequences one after the other, or a function that gives those from sequence `first` on. */
export type SequenceSource<All> = All | ((first: number) => All);

/**
 * Many sequences of any length, laid end to end into B lanes: when the sequence of a row ends, the
 * next one of the source begins in that row at the next time step, with a reset. Nothing is padded.
 * Only when the source has no more, rows are masked.
 *
 * A sequence begins with a reset always, so a `state` that is handed to `truncated` reaches only
 * sequences that go on. The source is read when a row is free and a step is asked for, and a
 * sequence is dropped after its last step: memory does not grow with the stream, which may be
 * endless. What the source makes for a sequence is gone with it. To leave the steps closes the
 * source.
 *
 * To go on later, keep `getState()` beside the parameters and the state of the model, and pass it
 * with the same source. The source is read from its start, and what is over is skipped; a function
 * as source is called with the first sequence that is still needed.
 *
 * @param sequences `{ inputs, targets }`: time-major tensors `[T, ...]`, or trees of such, without
 *   the axis of rows; T differs from sequence to sequence. One without steps is passed over
 * @returns time steps with tensors `[B, ...]`, `reset` and `mask` int32 `[B]`; an async iterable
 *   where the source is one
 * @throws when `rows` is no whole number of at least 1, the source has no steps, `state` does not
 *   fit; or a sequence has inputs and targets of different lengths, or differs from the first in
 *   shapes or dtypes, which names the sequence
 *
 * @example
 * ```ts
 * import { type Tensor, tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { elman, initialParams, lanes, truncated } from "@chronograd/rnn";
 *
 * const sequence = (...x: number[]) => {
 *   const inputs = tensor(x, { shape: [x.length, 1] });
 *   return { inputs, targets: inputs };
 * };
 * const all = [sequence(1, 2, 3), sequence(4, 5), sequence(6)];
 * const steps = Array.from(lanes(all, { rows: 2 }));
 * steps.map(({ input }) => input.toArray()); // => [[[1], [4]], [[2], [5]], [[3], [6]]]
 * steps.map(({ reset }) => reset.toArray()); // => [[1, 1], [0, 0], [0, 1]]
 * steps[2]!.sequence; // => [0, 2]
 *
 * const cell = elman({ input: 1, hidden: 1 });
 * const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
 * const stream = lanes(all, { rows: 2 });
 * for (const window of truncated(cell, initialParams(cell, rng(1)), stream, { k1: 2, k2: 2, loss })) {
 *   if (window.end === 2) break;
 * }
 * stream.getState(); // => { sequence: [0, -1], position: [2, -1], next: 2 }
 * ```
 */
export function lanes<X = Tensor, Target = Tensor>(
  sequences: SequenceSource<Iterable<LaneSequence<X, Target>>>,
  options: LanesOptions,
): Lanes<X, Target>;
export function lanes<X = Tensor, Target = Tensor>(
  sequences: SequenceSource<AsyncIterable<LaneSequence<X, Target>>>,
  options: LanesOptions,
): AsyncLanes<X, Target>;
export function lanes<X, Target>(
  sequences: SequenceSource<
    Iterable<LaneSequence<X, Target>> | AsyncIterable<LaneSequence<X, Target>>
  >,
  options: LanesOptions,
): Lanes<X, Target> | AsyncLanes<X, Target> {
  checkOptions("lanes", options ?? null, ["rows", "state"]);
  const { rows, state } = options;
  if (!Number.isSafeInteger(rows) || rows < 1) {
    throw new RangeError(
      `lanes: rows must be a whole number of at least 1, got ${typeof rows === "string" ? JSON.stringify(rows) : String(rows)}`,
    );
  }
  if (state !== undefined) checkState(state, rows);
  const packing = new Packing<X, Target>(rows, state);
  const source = typeof sequences === "function" ? sequences(packing.skip()) : sequences;
  const getState = () => packing.state;
  if (typeof source === "object" && source !== null) {
    if (Symbol.iterator in source) {
      return Object.assign(steps(packing, source[Symbol.iterator]()), { getState });
    }
    if (Symbol.asyncIterator in source) {
      return Object.assign(asyncSteps(packing, source[Symbol.asyncIterator]()), { getState });
    }
  }
  throw new TypeError(
    `lanes: sequences must be an iterable or async iterable of { inputs, targets }, or a function that gives one, got ${source === null ? "null" : `${typeof source === "object" ? "an" : "a"} ${typeof source}`}`,
  );
}

function* steps<X, Target>(
  packing: Packing<X, Target>,
  source: Iterator<LaneSequence<X, Target>>,
): Generator<LaneStep<X, Target>, void> {
  try {
    for (;;) {
      while (packing.isWaiting) packing.take(packing.read(() => source.next()));
      const step = packing.step();
      if (step === undefined) return;
      yield step;
    }
  } finally {
    packing.end();
    if (!packing.isOver) source.return?.();
  }
}

async function* asyncSteps<X, Target>(
  packing: Packing<X, Target>,
  source: AsyncIterator<LaneSequence<X, Target>>,
): AsyncGenerator<LaneStep<X, Target>, void> {
  try {
    for (;;) {
      while (packing.isWaiting) packing.take(await packing.read(() => source.next()));
      const step = packing.step();
      if (step === undefined) return;
      yield step;
    }
  } finally {
    packing.end();
    if (!packing.isOver) await source.return?.();
  }
}

function checkState(state: LanesState, rows: number): void {
  const { sequence, position, next } = Object(state) as Partial<LanesState>;
  const areWhole = [sequence, position].every(
    (list) => Array.isArray(list) && list.length === rows && list.every(Number.isSafeInteger),
  );
  if (Number.isSafeInteger(next) && areWhole) {
    const taken = sequence!.filter((index) => index !== -1);
    const isRight = sequence!.every((index, row) =>
      index === -1 ? position![row] === -1 : index >= 0 && index < next! && position![row]! >= 0,
    );
    if (isRight && new Set(taken).size === taken.length) return;
  }
  throw new TypeError(
    `lanes: state must be what getState() of ${rows} lanes gave, got ${JSON.stringify(state)}`,
  );
}
