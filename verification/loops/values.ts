import { grad, jvp, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { type Rng, rng } from "@chronograd/nn";
import { lawOver } from "../lawOver.ts";
import { numbers, type Tally } from "../tally.ts";
import { between, oneOf } from "../truncation/problem.ts";
import {
  type Drawn,
  drawn,
  type Found,
  type Given,
  type How,
  loop,
  normal,
  run,
  watchedOf,
  words,
} from "./drawn.ts";

/** What may be kept: everything, states, or bytes of plenty. */
function anyMemory(random: Rng): NonNullable<How["memory"]> {
  return oneOf(random, ["all", { steps: between(random, 1, 5) }, { bytes: 2 ** 26 }] as const);
}

function compare(found: Found, expected: Found, tally: Tally, about: string): void {
  tally.trees(found.values, expected.values, `${about} values`);
  for (const [n, sweep] of found.sweeps.entries()) {
    tally.trees(sweep, expected.sweeps[n], `${about} sweep ${n + 1}, gradient by`);
  }
}

/** Bit by bit; the sign of a zero is none of its bits. */
function alike(found: Found, expected: Found, tally: Tally, about: string): void {
  const all = ({ values, sweeps }: Found) =>
    [values, ...sweeps].flatMap((each) => Object.entries(each));
  const theirs = all(expected);
  for (const [i, [path, list]] of all(found).entries()) {
    tally.list(list, theirs[i]![1], `${about} ${path}`);
  }
}

const stepByStep = lawOver(
  40,
  "step by step",
  "a loop gives what its steps give one by one, in every sweep: with marks, burn-in, noise, trees, learned states, in both directions",
  1e-11,
  (seed, tally) => {
    const p = drawn(seed);
    const how = { memory: anyMemory(p.random) };
    compare(run(p, how, 2), run(p, {}, 2), tally, words(p, how));
  },
);

const planned = lawOver(
  10,
  "planned",
  "a loop that runs as plans gives what its steps give one by one, for any number of steps",
  1e-11,
  (seed, tally) => {
    const p = drawn(seed, 40);
    const how = { compile: true, memory: anyMemory(p.random) };
    compare(run(p, how, 2), run(p, {}, 2), tally, words(p, how));
  },
);

const keptAlike = lawOver(
  20,
  "any memory",
  "what a loop keeps changes no bit of its values and gradients",
  0,
  (seed, tally) => {
    const p = drawn(seed);
    const compile = seed % 4 === 0;
    const all = run(p, { compile, memory: "all" }, 2);
    for (const memory of [{ steps: 1 }, { steps: between(p.random, 2, 6) }, { bytes: 2 ** 26 }]) {
      alike(run(p, { compile, memory }, 2), all, tally, words(p, { compile, memory }));
    }
  },
);

const anyOrder = lawOver(
  30,
  "second order",
  "derivatives of the gradient, and forward mode, are those of steps one by one",
  1e-9,
  (seed, tally) => {
    const p: Drawn = drawn(seed, 6);
    if (p.by.length === 0) return;
    const how = { compile: seed % 2 === 0, memory: anyMemory(p.random) };
    const at = watchedOf(p);
    const loss = (own: How) => (x: unknown) => {
      const results = loop(p, { ...p.given, ...(x as Partial<Given>) }, own);
      return squares(tree.leaves(results).map((y) => floats(y).sin()));
    };
    const random = rng(seed, "tangents");
    const v = tree.map(at, (x: Tensor) => (x.dtype === "int32" ? x : normal(random, ...x.shape)));
    const second = (own: How) =>
      numbers(grad((x: unknown) => squares(tree.leaves(grad(loss(own) as never)(x as never))))(at));
    tally.trees(second(how), second({}), `${words(p, how)} second derivative by`);
    const forward = (own: How) => numbers(jvp(loss(own) as never, at as never, v as never));
    tally.trees(forward(how), forward({}), `${words(p, how)} forward mode`);
  },
);

const floats = (x: Tensor): Tensor => (x.dtype === "int32" ? x.cast("float64") : x);

const squares = (list: readonly Tensor[]): Tensor =>
  list.map((x) => floats(x).square().sum()).reduce((a, b) => a.add(b));

export const valueLaws: readonly Law[] = [stepByStep, planned, keptAlike, anyOrder];
