import {
  defaultBackend,
  scope,
  Tape,
  type Tensor,
  tensor,
  tree,
  zeros,
} from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { init, rng } from "@chronograd/nn";
import { defineCell, gru, initialParams, lstm, unroll, unrollCost } from "@chronograd/rnn";
import type { SomeCell } from "@chronograd/rnn/testing";
import { lawOver } from "../lawOver.ts";
import { between, oneOf } from "../truncation/problem.ts";
import {
  type Drawn,
  drawn,
  type Given,
  type How,
  loop,
  normal,
  watchedOf,
  words,
} from "./drawn.ts";

const { memory } = defaultBackend();

/** The most that a loop and its sweep take, and what is left when they are gone. */
function taken(p: Drawn, how: How): { readonly peak: number; readonly left: number } {
  const start = memory.bytesInUse;
  const peak = scope(() => {
    const tape = new Tape();
    const own = tape.watch(watchedOf(p)) as Partial<Given>;
    const shapes = scope(() =>
      tree
        .leaves(loop(p, p.given, {}))
        .map(({ shape, dtype }) => ({ shape, dtype }) as unknown as Tensor),
    );
    const g = shapes.map(({ shape, dtype }) => zeros(shape, { dtype }));
    const before = memory.bytesInUse;
    const most = memory.peakDuring(() => {
      const results = tree.leaves(loop(p, { ...p.given, ...own }, how));
      const targets = results.filter((y) => tape.tracks(y));
      const cotangent = g.filter((_, i) => tape.tracks(results[i]!));
      if (targets.length > 0) tape.gradient(targets, own, { cotangent });
    });
    return most - before;
  });
  return { peak, left: memory.bytesInUse - start };
}

/** The bytes that a refusal names; `undefined` when it runs. */
function refused(p: Drawn, how: How): number | undefined {
  try {
    taken(p, how);
  } catch (error) {
    return Number(/needs \{ bytes: (\d+) \} at least/.exec(String(error))?.[1]);
  }
  return undefined;
}

/** Cells that are large enough for each part of the cost to show. */
function sized(seed: number): Drawn {
  const random = rng(seed, "memory");
  if (random.uniform() < 0.3) return drawn(seed, 40);
  // Much of a run that waits, of outputs, and of parameters.
  const [hidden, B, most] = oneOf(random, [
    [48, 8, 24],
    [16, 6, 80],
    [96, 1, 6],
  ] as const);
  const T = between(random, 2, most);
  const model = oneOf(random, [gru, lstm])({ input: 3, hidden }) as unknown as SomeCell;
  const given: Given = {
    params: initialParams(model, random.split("params"), { dtype: "float64" }),
    inputs: normal(random, T, B, 3),
  };
  const by = oneOf(random, [["params"], ["inputs"], ["params", "inputs"]] as const);
  return { random, seed, model, given, by, options: {}, T, B };
}

const bounded = lawOver(
  8,
  "within the memory",
  "what a loop and its sweep take never exceeds its bytes; the number that a refusal names is enough, and one byte less is refused with it; everything is returned",
  0,
  (seed, tally) => {
    const p = sized(seed);
    const compile = p.random.uniform() < 0.4;
    const about = words(p, { compile });
    const tooFew = { compile, memory: { bytes: 1 } };
    const first = refused(p, tooFew);
    tally.check(first !== undefined && first > 1, () => `${about} one byte: ${first}`);
    // A plan that was made for the first call is there in the second.
    const least = refused(p, tooFew)!;
    const less = refused(p, { compile, memory: { bytes: least - 1 } });
    tally.check(less === least, () => `${about} ${least - 1} bytes: ${less}, expected ${least}`);
    // From nothing but the first state up to everything.
    const everything = taken(p, { compile, memory: "all" }).peak;
    for (const share of [0, 0.03, 0.1, 0.3, 0.7, 1].map((most) => most * p.random.uniform())) {
      const bytes = least + Math.floor(share * Math.max(0, everything - least));
      const { peak, left } = taken(p, { compile, memory: { bytes } });
      tally.check(peak <= bytes, () => `${about} ${bytes} bytes: took ${peak}`);
      tally.check(left === 0, () => `${about} ${bytes} bytes: left ${left}`);
    }
    for (const kept of ["all", { steps: between(p.random, 1, 6) }] as const) {
      const { left } = taken(p, { compile, memory: kept });
      tally.check(left === 0, () => `${about} ${JSON.stringify(kept)}: left ${left}`);
    }
  },
);

const fewer = lawOver(
  4,
  "less is kept",
  "with few states kept, a loop of many steps takes a small part of what everything takes",
  0,
  (seed, tally) => {
    const random = rng(seed, "fewer");
    const model = gru({ input: 2, hidden: 16 }) as unknown as SomeCell;
    const T = between(random, 300, 500);
    const given: Given = {
      params: initialParams(model, random, { dtype: "float64" }),
      inputs: normal(random, T, 2, 2),
    };
    const p: Drawn = { random, seed, model, given, by: ["params"], options: {}, T, B: 2 };
    const all = taken(p, { memory: "all" }).peak;
    const few = taken(p, { memory: { steps: 8 } }).peak;
    // The outputs and their cotangents, which both have.
    const outputs = 3 * 8 * T * 2 * 16;
    tally.check(
      few - outputs < 0.1 * (all - outputs) + 2 ** 15,
      () => `T ${T}: 8 states take ${few} bytes, everything takes ${all}`,
    );
  },
);

const swept = lawOver(
  4,
  "swept",
  "what the sweep is done with is returned before other steps run again",
  0,
  (seed, tally) => {
    const random = rng(seed, "swept");
    const inUse: number[] = [];
    const cell = defineCell({
      params: () => ({ w: init.constant(0.5, 1) }),
      state: () => ({ h: init.zeros(8) }),
      step: ({ w }, x: Tensor, { h }) => {
        inUse.push(memory.bytesInUse);
        let next = h.mul(w).add(x);
        for (let n = 0; n < 12; n++) next = next.sin();
        return [next.sum(-1), { h: next }];
      },
    })({ input: 8, hidden: 8 });
    const [T, B] = [between(random, 12, 30), 32];
    const inputs = normal(random, T, B, 8);
    const params = { w: tensor([0.5], { dtype: "float64" }) };
    const { bytes: all, least } = unrollCost(cell, params, inputs, { memory: "all" });
    const bytes = Math.floor(least + (0.6 + 0.3 * random.uniform()) * (all - least));
    const { recorded } = unrollCost(cell, params, inputs, { memory: { bytes } });
    const about = `T ${T}, ${bytes} bytes, the last ${recorded} steps kept`;
    tally.check(recorded > 2 && recorded < T, () => about);
    scope(() => {
      const tape = new Tape();
      const own = tape.watch(params) as typeof params;
      const loss = unroll(cell, own, inputs, { memory: { bytes } }).outputs.sum();
      const before = memory.bytesInUse;
      inUse.length = 0;
      tape.gradient(loss, own);
      const [first] = inUse;
      tally.check(
        first !== undefined && first < before - 0.5 * recorded * 12 * 8 * 8 * B,
        () => `${about}: ${before} in use before the sweep, ${first} when a step runs again`,
      );
    });
  },
);

export const memoryLaws: readonly Law[] = [bounded, fewer, swept];
