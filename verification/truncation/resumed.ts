import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { models, type Run, windowsOf } from "../../packages/rnn/tests/truncated/interrupted.ts";
import { lawOver } from "../lawOver.ts";
import type { Tally } from "../tally.ts";
import { between, oneOf } from "./problem.ts";

const yes = [false, true] as const;

/** A run of a random model with random cuts and options, and after which windows it ends. */
function drawn(seed: number, some: Partial<Run>): [run: Run, splits: number[]] {
  const random = rng(seed, "resumed");
  const chunk = between(random, 1, 3);
  const k1 = chunk * between(random, 1, 3);
  const k2 = k1 + chunk * oneOf(random, [0, 1, 2, 3, 4, Infinity]);
  const burnIn = oneOf(random, [0, 0, 1, 2]);
  const windows = between(random, 2, 7);
  const losses = oneOf(random, ["new", "endpoint", "window"] as const);
  const run: Run = {
    model: oneOf(random, Object.keys(models)),
    seed,
    T: burnIn + windows * k1 - between(random, 0, k1 - 1),
    B: between(random, 1, 3),
    dtype: oneOf(random, ["float32", "float64"] as const),
    k1,
    k2,
    stale: oneOf(random, ["carry", "carry", "recompute"] as const),
    losses,
    multiplicity: losses === "window" && Number.isFinite(k2) && oneOf(random, yes),
    reduction: oneOf(random, ["sum", "mean"] as const),
    compile: oneOf(random, yes),
    burnIn,
    measured: oneOf(random, yes),
    marked: oneOf(random, yes),
    whole: oneOf(random, yes),
    given: oneOf(random, yes),
    reads: oneOf(random, yes) && oneOf(random, yes),
    updates: true,
    ...some,
  };
  const splits = Array.from({ length: between(random, 1, 3) }, () => between(random, 0, windows));
  return [run, splits];
}

function compare([run, splits]: ReturnType<typeof drawn>, tally: Tally): void {
  const expected = windowsOf(run);
  const found = windowsOf(run, splits);
  const about = () => `${JSON.stringify(run)}, after windows ${splits}`;
  tally.check(found.length === expected.length, () => `${about()}: ${found.length} windows`);
  for (const [j, window] of found.entries()) {
    for (const [name, theirs] of Object.entries(expected[j] ?? {})) {
      const mine = window[name as keyof typeof window];
      const isSame = JSON.stringify(bits(mine)) === JSON.stringify(bits(theirs));
      tally.check(isSame, () => `${about()}: ${name} of window ${j}`);
    }
  }
}

/** Numbers as texts that tell -0 from 0. */
function bits(value: unknown): unknown {
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "number") return String(value);
  return typeof value === "object" && value !== null
    ? Object.entries(value).map(([name, part]) => [name, bits(part)])
    : value;
}

const statement = (what: string) =>
  `${what} that ends after any windows and goes on from what it saved has the windows of the run never interrupted, bit by bit`;

/** How many runs a seed draws; each run as plans makes plans of its own, which takes longest. */
const [draws, drawsOfPlans] = [90, 30] as const;

/** What a live window must be good for. */
export const resumedLaws: readonly Law[] = [
  lawOver(draws, "resumed", statement("a training run with Adam"), 0, (seed, tally) => {
    compare(drawn(seed, {}), tally);
  }),
  lawOver(drawsOfPlans, "resumed, as plans", statement("a run as plans"), 0, (seed, tally) => {
    compare(drawn(seed, { compile: true, stale: "carry", reads: false }), tally);
  }),
];
