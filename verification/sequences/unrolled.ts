import { grad, Tape, type Tensor, tensor, where } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { initialState, unroll } from "@chronograd/rnn";
import { numbers, values } from "../tally.ts";
import type { Params } from "../truncation/problem.ts";
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

/** The marks of a whole sequence, lengths in place of what a mask can say at the end of rows. */
function marksOf({ T, B, mask, resets, random }: Marked) {
  const table = (rows: readonly (readonly number[])[]) =>
    tensor(Int32Array.from(rows.flat()), { shape: [T, B] });
  const lengths = Array.from({ length: B }, (_, row) =>
    Math.max(0, ...mask.map((present, t) => (present[row] === 1 ? t + 1 : 0))),
  );
  const whole = { mask: table(mask), resets: table(resets) };
  const isRagged = mask.every((present, t) =>
    present.every((bit, row) => bit === Number(t < lengths[row]!)),
  );
  if (!isRagged) return whole;
  const given = random.uniform() < 0.5 ? lengths : int32(lengths);
  return { resets: whole.resets, lengths: given };
}

/** Half of the streams with rows that only end. */
function ragged(p: Marked): Marked {
  const { T, B, random } = p;
  if (random.uniform() < 0.5) return p;
  const lengths = Array.from({ length: B }, () => random.integer(0, T + 1));
  const mask = p.mask.map((_, t) => lengths.map((length) => Number(t < length)));
  return { ...p, mask };
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

const burnsIn = law(
  "unroll, burn-in",
  "a tape of the parameters holds the steps after the burn-in alone, and by its inputs and the state before it the gradient is exactly 0",
  0,
  ({ model, params, steps, T, B, burnIn }, tally) => {
    if (burnIn === 0) return;
    const about = `T ${T}, B ${B}, burnIn ${burnIn}:`;
    const inputs = steps.map(({ input }) => input);
    const [warming, rest] = [inputs.slice(0, burnIn), inputs.slice(burnIn)];
    const state = initialState({ state: model.state }, B, { dtype: "float64" });
    const after = unroll(model, params, warming, { state }).state;
    const entries = [
      { xs: inputs, options: { state, burnIn } },
      { xs: rest, options: { state: after } },
    ].map(({ xs, options }) => {
      const tape = new Tape();
      unroll(model, tape.watch(params) as Params, xs, options);
      return tape.entries.length;
    });
    tally.list(entries.slice(0, 1), entries.slice(1), `${about} entries`);
    const given = { weights: params, before: { state, warming } };
    const gradient = grad(({ weights, before }: typeof given) => {
      const options = { burnIn, state: before.state };
      return unroll(model, weights, [...before.warming, ...rest], options)
        .outputs.square()
        .sum();
    })(given);
    const found = Object.values(numbers(gradient.before)).flatMap((x) => Array.from(x));
    tally.list(found.map(zero), new Array<number>(found.length).fill(0), `${about} gradient`);
  },
);

export const unrollLaws: readonly Law[] = [unrolled, burnsIn];
