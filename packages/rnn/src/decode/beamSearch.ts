import { type Tensor, tree } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import { textOf } from "../checkDefinition.ts";
import { rowsOf } from "../checkRows.ts";
import { findTensor, nameOfTensor } from "../findTensor.ts";
import { Beam } from "./beam.ts";
import { Carried } from "./carried.ts";
import { checkWhole } from "./checkWhole.ts";
import type { Hypothesis } from "./hypothesis.ts";
import { divisorsOf, type LengthPenalty } from "./lengthPenalty.ts";
import { checkLogits } from "./logits.ts";
import { tokenTensor } from "./prompt.ts";

/**
 * What decodes: from the last token of N hypotheses, int32 `[N]`, and their state to the logits
 * `[N, V]` of the next token, and the next state.
 */
export type BeamStep<State, Context = undefined> = (
  tokens: Tensor,
  state: State,
  context: Context,
) => readonly [logits: Tensor, state: State];

/** What is searched, and how widely. */
export interface BeamSearchOptions<State, Context = undefined> {
  readonly step: BeamStep<State, Context>;
  /**
   * The state before the first token, a tree of tensors with B rows each. It is not released. A
   * tensor without axes is a number for all rows.
   */
  readonly state: State;
  /** A tree of tensors with B rows that a step reads besides, such as what an encoder put out. */
  readonly context?: Context;
  /** The token that every hypothesis follows, or one for each example. */
  readonly start: number | ArrayLike<number>;
  /** The token that ends a hypothesis; all go on to `maxLength` unless given. */
  readonly end?: number;
  /** How many hypotheses of an example are kept. */
  readonly width: number;
  /** The most tokens of a hypothesis, `end` included. */
  readonly maxLength: number;
  /** What a log-probability is divided by; by nothing (an exponent of 0) unless given. */
  readonly lengthPenalty?: LengthPenalty;
}

/**
 * Searches for the likeliest sequences of tokens, of B examples at once.
 *
 * At each step it takes, for every example, all tokens after each of its live hypotheses, and keeps
 * the `width` likeliest. Those that come with `end` are set aside, the others live on. It stops
 * when no live hypothesis can come among the `width` best that ended, by `score`: the sum of the
 * log-probabilities, over the length penalty of the number of tokens, `end` included. A `width` of
 * 1 is greedy decoding; one of at least V^maxLength finds the best of all sequences. Ties go to the
 * hypothesis that was better before, then to the smaller token, so results are deterministic.
 *
 * A step sees `width` rows for each example, those of one example side by side, also where fewer
 * live. The state is gathered along them after each step, and only the present one is in memory.
 *
 * @returns for each example its hypotheses, at most `width`, the best first; those that had not
 *   ended at `maxLength` are among them
 * @throws for options out of range, for state and context of other rows than B, and for logits that
 *   are NaN or +Infinity, or all -Infinity in a row of a live hypothesis
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { beamSearch } from "@chronograd/rnn/decode";
 *
 * // What follows a token: a Markov chain on 0, 1 and the end 2.
 * const table = tensor([[0.1, 0.5, 0.4], [0.3, 0.3, 0.4], [0, 0, 1]]).log();
 * const step = (tokens: import("@chronograd/autodiff").Tensor, state: object) =>
 *   [table.gather(tokens), state] as const;
 *
 * const options = { step, state: {}, start: [0], end: 2, maxLength: 4 };
 * // The likeliest token leads to 0.5 x 0.4, less than 0.4 of ending at once.
 * beamSearch({ ...options, width: 1 })[0]![0]!.tokens; // => [1]
 * const [best] = beamSearch({ ...options, width: 2 })[0]!;
 * [best!.tokens, Math.exp(best!.logProbability).toFixed(3)]; // => [[], "0.400"]
 * ```
 */
export function beamSearch<State, Context = undefined>(
  options: BeamSearchOptions<State, Context>,
): Hypothesis[][] {
  const where = "beamSearch";
  const required = ["step", "state", "start", "width", "maxLength"];
  checkOptions(where, options ?? null, [...required, "context", "end", "lengthPenalty"]);
  const { step, state, context, end, width, maxLength, lengthPenalty = 0 } = options;
  if (typeof step !== "function") {
    throw new TypeError(
      `${where}: step must be a function (tokens, state, context) => [logits, state], got ${textOf(step)}`,
    );
  }
  checkWhole(where, "width", width, 1, 2 ** 20);
  checkWhole(where, "maxLength", maxLength, 1, 2 ** 24);
  checkEnd(where, end, Infinity);
  const start = startTokens(where, options.start, rowsOf(state) ?? rowsOf(context));
  checkRowsAre(where, start.length, { "the state": state, "the context": context });
  const divisors = divisorsOf(where, lengthPenalty, maxLength);
  const beams = Array.from(start, () => new Beam({ where, width, end, divisors }));
  const backend = findTensor([state, context], () => true)?.backend;

  // The rows of example b are b * width and the width - 1 rows after it.
  const rows = start.length * width;
  const repeated = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / width));
  const carried = new Carried(state);
  const constant = new Carried(context as Context);
  try {
    for (const values of [carried, constant] as Carried<unknown>[]) {
      values.advance((one) => [null, rowsTaken(one, repeated)]);
    }
    let tokens = repeated.map((example) => start[example]!);
    for (let length = 1; length <= maxLength && beams.some((beam) => !beam.isOver); length++) {
      tokens = carried.advance((before) => {
        const stepped = step(tokenTensor(tokens, backend), before, constant.state);
        checkPair(where, stepped);
        const [logits, after] = stepped;
        checkLogits(where, logits, rows);
        checkEnd(where, end, logits.shape[1]!);
        checkRowsAre(where, rows, { "the next state": after });
        const next = goOn(beams, width, logits);
        return [next.tokens, rowsTaken(after, next.parents)];
      });
    }
    return beams.map((beam) => beam.finished());
  } finally {
    carried.release();
    constant.release();
  }
}

/** Throws a sentence unless a step returned a pair. */
function checkPair(where: string, stepped: unknown): void {
  if (Array.isArray(stepped) && stepped.length === 2) return;
  throw new TypeError(
    `${where}: step must return [logits, state], got ${Array.isArray(stepped) ? `an array of ${stepped.length}` : textOf(stepped)}`,
  );
}

/** Extends all hypotheses by one token: the tokens, and the rows that they came from. */
function goOn(beams: readonly Beam[], width: number, logits: Tensor) {
  const [rows, columns] = logits.shape as [number, number];
  const values = logits.toTypedArray();
  // A row without a live hypothesis repeats the first row of its example, and is not read.
  const parents = Int32Array.from({ length: rows }, (_, row) => row - (row % width));
  const tokens = new Int32Array(rows);
  for (const [example, beam] of beams.entries()) {
    if (beam.isOver) continue;
    const first = example * width;
    const logitsOf = (hypothesis: number) =>
      values.subarray((first + hypothesis) * columns, (first + hypothesis + 1) * columns);
    for (const [place, { parent, token }] of beam.advance(logitsOf).entries()) {
      parents[first + place] = first + parent;
      tokens[first + place] = token;
    }
  }
  return { parents, tokens };
}

/** A tree with the rows that `rows` names; a number for all rows stays. */
function rowsTaken<T>(values: T, rows: Int32Array): T {
  return tree.map(values, (x: Tensor) => (x.rank === 0 ? x : x.gather(rows))) as T;
}

/** Throws a sentence unless all tensors that have rows have as many as there should be. */
function checkRowsAre(where: string, rows: number, trees: Readonly<Record<string, unknown>>): void {
  for (const [name, values] of Object.entries(trees)) {
    for (const [path, x] of tree.leavesWithPath<Tensor>(values)) {
      if (x.rank === 0 || x.shape[0] === rows) continue;
      throw new RangeError(
        `${where}: ${nameOfTensor(name, path, x)} has ${x.shape[0]} row${x.shape[0] === 1 ? "" : "s"}, expected ${rows}; its first axis is that of the examples`,
      );
    }
  }
}

function startTokens(
  where: string,
  start: number | ArrayLike<number>,
  examples: number | undefined,
): Int32Array {
  const tokens = typeof start === "number" ? new Array<number>(examples ?? 1).fill(start) : start;
  const list = Array.from((tokens as ArrayLike<number> | undefined) ?? [Number.NaN]);
  if (list.every((token) => Number.isInteger(token) && token >= 0)) return Int32Array.from(list);
  throw new TypeError(
    `${where}: start must be a token, a whole number of at least 0, or a list with one for each example, got ${textOf(start)}`,
  );
}

/** Throws a sentence unless the token that ends, where there is one, is one of V. */
function checkEnd(where: string, end: number | undefined, columns: number): void {
  if (end === undefined || (Number.isInteger(end) && end >= 0 && end < columns)) return;
  const range =
    columns === Infinity ? "of at least 0" : `below ${columns}, as there are as many logits`;
  throw new RangeError(
    `${where}: end must be a token, a whole number ${range}, got ${textOf(end)}; leave it out where nothing ends`,
  );
}
