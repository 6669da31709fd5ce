import { grad, isTensor, Tape, type Tensor, tensor, where } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { unroll } from "@chronograd/rnn";
import { numbers, values } from "../tally.ts";
import type { Params, State } from "../truncation/problem.ts";
import {
  below,
  inTime,
  int32,
  losses,
  type Marked,
  rowAlone,
  sumOf,
  withPadding,
} from "./alone.ts";
import { law, words } from "./streams.ts";

/** A positive zero for a negative one: a sum may end in either. */
const zero = (x: number): number => (x === 0 ? 0 : x);

/**
 * The marks of a whole sequence, lengths in place of what a mask can say at the end of rows. Behind
 * the end that lengths give, resets stand that nothing may read.
 */
function marksOf({ T, B, mask, resets, random }: Marked) {
  const table = (rows: readonly (readonly number[])[]) =>
    tensor(Int32Array.from(rows.flat()), { shape: [T, B] });
  const lengths = lengthsOf(mask, B);
  const isRagged = mask.every((present, t) =>
    present.every((bit, row) => bit === Number(t < lengths[row]!)),
  );
  if (!isRagged) return { mask: table(mask), resets: table(resets) };
  const given = random.uniform() < 0.5 ? lengths : int32(lengths);
  const unread = resets.map((row, t) => row.map((bit, i) => (t < lengths[i]! ? bit : 1)));
  return { resets: table(unread), lengths: given };
}

/** Up to which step each row has some. */
function lengthsOf(mask: Marked["mask"], rows: number): number[] {
  return Array.from({ length: rows }, (_, row) =>
    Math.max(0, ...mask.map((present, t) => (present[row] === 1 ? t + 1 : 0))),
  );
}

/** Half of the streams with rows that only end. No row is reset behind its last step. */
function ragged(p: Marked): Marked {
  const { T, B, random } = p;
  const ends = Array.from({ length: B }, () => random.integer(0, T + 1));
  const isRagged = random.uniform() < 0.5;
  const mask = isRagged ? p.mask.map((_, t) => ends.map((end) => Number(t < end))) : p.mask;
  const lengths = lengthsOf(mask, B);
  const resets = p.resets.map((row, t) => row.map((bit, i) => (t < lengths[i]! ? bit : 0)));
  return { ...p, mask, resets };
}

const unrolled = law(
  "unroll",
  "each row of a marked sequence gives what it gives alone, forwards and in reverse, and so do gradients; 0 where it has no step",
  1e-11,
  (drawn, tally) => {
    const p = ragged(drawn);
    const { model, params, steps, T, B, mask, resets, random } = p;
    const reverse = random.uniform() < 0.4;
    const burnIn = reverse ? 0 : p.burnIn;
    const forward = Array.from({ length: T }, (_, i) => i + 1);
    const times = reverse ? forward.toReversed() : forward;
    const alone = Array.from({ length: B }, (_, row) =>
      rowAlone(p, row, times, {
        start: burnIn,
        // A boundary lies between t - 1 and t, in either direction.
        ...(reverse && { isReset: (t) => t < T && resets[t]![row] === 1 }),
      }),
    );
    const inputs = withPadding(p).map(({ input }) => input);
    const options = { ...marksOf(p), reverse, burnIn };
    const about = `${words(p)}${reverse ? ", reverse" : ""}:`;
    const { outputs, state } = unroll(model, params, inputs, options);
    const like = steps[0]!.target;
    const expected = inTime(alone, forward.slice(burnIn), like);
    tally.list(values(outputs).map(zero), values(expected).map(zero), `${about} outputs`);
    tally.trees(numbers(state), below(alone.map((row) => row.state)), `${about} state`);
    const gradient = grad((weights: Params) => {
      const { outputs: ys } = unroll(model, weights, inputs, options);
      const terms = forward
        .slice(burnIn)
        .map((t, i) =>
          where(int32(mask[t - 1]!), losses(ys.slice([i]), steps[t - 1]!.target), 0).sum(),
        );
      return terms.reduce((a: Tensor, b) => a.add(b));
    })(params);
    const sum = sumOf(
      alone.map((row) => row.gradient),
      1,
    );
    tally.trees(numbers(gradient), sum, `${about} gradient by`);
  },
);

const warmUp = law(
  "burn-in",
  "nothing of the burn-in has a gradient: not its inputs, not the state before it, and no entry of it is on the tape",
  0,
  (p, tally) => {
    const { model, params, burnIn } = p;
    if (burnIn === 0) return;
    const inputs = p.steps.map(({ input }) => input);
    const before = unroll(model, params, inputs.slice(0, 1)).state as State;
    const about = `${words(p)}:`;
    const record = (inputs: readonly Tensor[], given: State, warm: number) => {
      const tape = new Tape();
      const watched = tape.watch({ params, given }) as { params: Params; given: State };
      const state = warm > 0 ? watched.given : given;
      const { outputs } = unroll(model, watched.params, inputs, { state, burnIn: warm });
      return { tape, state, outputs, ...tape.stats() };
    };
    const { state: after } = unroll(model, params, inputs.slice(0, burnIn), { state: before });
    const rest = record(inputs.slice(burnIn), after as State, 0);
    const { tape, state, outputs, entries } = record(inputs, before, burnIn);
    tally.number(entries, rest.entries, () => `${about} entries`);
    const none = (found: ArrayLike<number>, what: string): void =>
      tally.number(Math.max(0, ...Array.from(found, Math.abs)), 0, () => `${about} by ${what}`);
    const byState = numbers(tape.gradient(outputs.square().sum(), state));
    for (const [path, found] of Object.entries(byState)) none(found, `the state ${path}`);
    if (!inputs.every((input) => isTensor(input) && input.dtype !== "int32")) return;
    const byInputs = grad((xs: Tensor[]) => {
      return unroll(model, params, xs, { burnIn }).outputs.square().sum();
    })([...inputs]);
    for (let t = 1; t <= burnIn; t++) none(values(byInputs[t - 1]!), `input ${t}`);
  },
);

export const unrollLaws: readonly Law[] = [unrolled, warmUp];
