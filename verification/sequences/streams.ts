import { concat, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import type { Communicator } from "@chronograd/nn";
import { initialState, type TimeStep, truncated, type Window } from "@chronograd/rnn";
import { bothSay } from "../bothSay.ts";
import { lawOver } from "../lawOver.ts";
import { type Numbers, numbers, type Tally } from "../tally.ts";
import { spans, weightOf } from "../truncation/definition.ts";
import type { Params, State } from "../truncation/problem.ts";
import { below, losses, type Marked, marked, rowAlone, sumOf, withPadding } from "./alone.ts";

/** A law about several streams for each seed. */
export function law(
  name: string,
  statement: string,
  bound: number,
  measure: (p: Marked, tally: Tally) => void,
): Law {
  return lawOver(draws, name, statement, bound, (seed, tally) => measure(marked(seed), tally));
}

/** How many streams are drawn for each seed. */
const draws = 40;

/** The stream in words. */
export function words({ T, B, burnIn, mask, resets, options }: Marked): string {
  return `T ${T}, B ${B}, burnIn ${burnIn}, ${JSON.stringify(options)}, mask ${JSON.stringify(mask)}, resets ${JSON.stringify(resets)}`;
}

/** What is read of a window. */
export type Seen = Pick<
  Window<Params, State>,
  "start" | "newFrom" | "end" | "count" | "gradientCount" | "losses" | "loss"
> & { readonly gradients: Numbers; readonly state: Numbers };

export function seen(window: Window<Params, State>): Seen {
  return { ...window, gradients: numbers(window.gradients), state: numbers(window.state) };
}

export function windowsOf(p: Marked, steps: readonly TimeStep[], more: object = {}): Seen[] {
  const { model, params, options, burnIn } = p;
  const stream = truncated(model, params, steps, { ...options, burnIn, loss: losses, ...more });
  return Array.from(stream, (window) => seen(window as unknown as Window<Params, State>));
}

/**
 * The windows by definition: each row alone with the steps that it has, and `width` tokens in each.
 */
export function expectedWindows(p: Marked, width = 1): Omit<Seen, "loss">[] {
  const { T, B, burnIn, options, mask } = p;
  const times = Array.from({ length: T }, (_, i) => i + 1);
  const rows = Array.from({ length: B }, (_, row) => row);
  const after = spans({ T: T - burnIn, k1: options.k1, k2: options.k2 });
  const each = after.map((span) => {
    const [start, newFrom, end] = [span.start, span.newFrom, span.end].map((t) => t + burnIn);
    const weight = (t: number) => weightOf(t - burnIn, span, options);
    const upTo = times.slice(0, end);
    const alone = rows.map((row) => rowAlone(p, row, upTo, { start: start!, weight }));
    const tokens = (wanted: (t: number) => boolean) =>
      width *
      upTo.filter(wanted).reduce((sum, t) => sum + mask[t - 1]!.reduce((a, b) => a + b, 0), 0);
    return {
      start: start!,
      newFrom: newFrom!,
      end: end!,
      count: tokens((t) => t > newFrom!),
      gradientCount: tokens((t) => t > start! && weight(t) !== 0),
      losses: upTo
        .slice(newFrom)
        .map((t) => alone.reduce((sum, row) => sum + (row.losses[t] ?? 0), 0)),
      gradients: sumOf(
        alone.map(({ gradient }) => gradient),
        1,
      ),
      state: below(alone.map(({ state }) => state)),
    };
  });
  const groups = options.stale === "defer" ? [each] : each.map((one) => [one]);
  return groups.map((group) => {
    const sum = (of: (window: (typeof each)[number]) => number) =>
      group.reduce((total, window) => total + of(window), 0);
    const gradientCount = sum((window) => window.gradientCount);
    const isMean = options.reduction === "mean";
    const factor = isMean ? (gradientCount === 0 ? 0 : 1 / gradientCount) : 1;
    return {
      ...group.at(-1)!,
      ...(options.stale === "defer" && { start: burnIn, newFrom: burnIn }),
      count: sum((window) => window.count),
      gradientCount,
      losses: group.flatMap((window) => window.losses),
      gradients: sumOf(
        group.map(({ gradients }) => gradients),
        factor,
      ),
    };
  });
}

function compare(found: readonly Seen[], p: Marked, tally: Tally, what = "", width = 1): void {
  const expected = expectedWindows(p, width);
  const where = `${what}${words(p)}`;
  tally.number(found.length, expected.length, () => `${where}: windows`);
  for (const [j, window] of found.entries()) {
    const { gradients, state, losses: each, ...spanAndCounts } = expected[j]!;
    for (const [name, value] of Object.entries(spanAndCounts)) {
      tally.number(window[name as "count"], value, () => `${where}, window ${j}: ${name}`);
    }
    tally.list(window.losses, each, `${where}, window ${j}: losses`);
    tally.trees(window.gradients, gradients, `${where}, window ${j}: gradient by`);
    tally.trees(window.state, state, `${where}, window ${j}: state`);
  }
}

const rowsAlone = law(
  "rows alone",
  "the windows of a marked batch are those of its rows, each run alone with the steps that it has, in every mode, whatever stands in the padding",
  1e-11,
  (p, tally) => compare(windowsOf(p, withPadding(p)), p, tally),
);

const elements = law(
  "elements",
  "where a row has several losses, each is a token",
  1e-11,
  (p, tally) => {
    const [{ target }] = p.steps as [TimeStep];
    const loss = (y: Tensor, wanted: Tensor) => y.sub(wanted).square();
    const found = windowsOf(p, withPadding(p), { loss });
    compare(found, p, tally, "", (target as Tensor).size / p.B);
  },
);

const sequences = law(
  "sequences",
  "a sequence with lengths, mask and resets yields the windows of its steps with marks, bit by bit",
  0,
  (p, tally) => {
    const { T, B, mask, resets } = p;
    const lengths = Array.from({ length: B }, (_, row) =>
      Math.max(0, ...mask.map((present, t) => (present[row] === 1 ? t + 1 : 0))),
    );
    // Behind the end of a row a reset is not read.
    const read = resets.map((row, t) => row.map((bit, i) => (t < lengths[i]! ? bit : 0)));
    const steps = withPadding({ ...p, resets: read });
    const inTime = (name: "input" | "target") =>
      concat(steps.map((step) => step[name].reshape([1, ...step[name].shape])));
    const table = (values: readonly (readonly number[])[]) =>
      tensor(Int32Array.from(values.flat()), { shape: [T, B] });
    // Gaps before the end of a row are those of a mask, the rest is what lengths say.
    const gaps = mask.map((present, t) => present.map((bit, row) => (t < lengths[row]! ? bit : 1)));
    const whole = {
      inputs: inTime("input"),
      targets: inTime("target"),
      lengths,
      mask: table(gaps),
      resets: table(resets),
    };
    const found = windowsOf(p, whole as never);
    const expected = windowsOf(p, steps);
    tally.number(found.length, expected.length, () => `${words(p)}: windows`);
    for (const [j, window] of expected.entries()) {
      for (const [name, values] of Object.entries({ ...window.gradients, ...window.state })) {
        const other = { ...found[j]!.gradients, ...found[j]!.state }[name]!;
        tally.bits(other, values, `${words(p)}, window ${j}: ${name}`);
      }
    }
  },
);

/** Two workers with these rows and the same results, told the sums of both. */
const workers = law(
  "workers",
  "the mean of several workers' ragged rows is over the real tokens of all of them",
  1e-11,
  (p, tally) => {
    const steps = withPadding(p);
    const own = windowsOf(p, steps, { reduction: "sum" });
    let j = 0;
    const other: Communicator = {
      rank: 0,
      size: 2,
      // The other worker has three times the tokens, losses and gradients of this one.
      allReduce: <Values>(values: Values): Values => {
        const same = bothSay(values);
        if (same !== undefined) return same;
        const four = tree.map(values, (x: Tensor) => x.mul(4));
        return tree.map<unknown, number, number>(
          four,
          (x) => 4 * x,
          (x): x is number => typeof x === "number",
        ) as Values;
      },
      broadcast: (values) => values,
      barrier: () => {},
    };
    for (const window of windowsOf(p, steps, { reduction: "mean", communicator: other })) {
      const { gradients, gradientCount, count, losses: each } = own[j]!;
      const where = `${words(p)}, window ${j++}:`;
      const factor = gradientCount === 0 ? 0 : 1 / gradientCount;
      tally.trees(window.gradients, sumOf([gradients], factor), `${where} gradient by`);
      tally.list([window.count, window.gradientCount], [4 * count, 4 * gradientCount], where);
      const loss = each.reduce((a, b) => a + b, 0);
      tally.number(window.loss, count === 0 ? 0 : loss / count, () => `${where} loss`);
    }
  },
);

const initial = law(
  "what was before a reset",
  "a state of NaN in rows that are reset at the first step reaches nothing, forward or backward",
  1e-11,
  (p, tally) => {
    if (p.model.initial !== undefined) return;
    const all = { ...p, resets: p.resets.with(0, new Array<number>(p.B).fill(1)) };
    const poison = tree.map(
      initialState({ state: p.model.state }, p.B, { dtype: "float64" }),
      (x: Tensor) => (x.dtype === "int32" ? x : x.mul(Number.NaN)),
    );
    compare(windowsOf(all, withPadding(all), { state: poison }), all, tally, "state NaN, ");
  },
);

export const streamLaws: readonly Law[] = [rowsAlone, elements, sequences, workers, initial];
