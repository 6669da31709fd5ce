import { map, scope, type Tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import {
  adagrad,
  adam,
  adamW,
  applyUpdates,
  type Optimizer,
  rmsprop,
  type Schedule,
  type Stream,
  sgd,
  stream,
} from "@chronograd/nn";
import { normal } from "./blocks.ts";
import type { Subject } from "./subject.ts";
import { numbers, Tally } from "./tally.ts";

type Rate = number | Schedule;

/** Every optimizer, with options that use everything it remembers. */
const makers: Readonly<Record<string, (learningRate: Rate) => Optimizer>> = {
  sgd: (learningRate) => sgd({ learningRate, momentum: 0.9, weightDecay: 0.1, nesterov: true }),
  adam: (learningRate) => adam({ learningRate, amsgrad: true, weightDecay: 0.1 }),
  adamW: (learningRate) => adamW({ learningRate, weightDecay: 0.1 }),
  rmsprop: (learningRate) => rmsprop({ learningRate, centered: true, momentum: 0.5 }),
  adagrad: (learningRate) => adagrad({ learningRate, initialAccumulator: 0.5 }),
};

type Tree = Record<string, Tensor>;
const updates = 5;

/** Parameters after some updates; `between` may put another optimizer in place of the one that ran so far. */
function train(
  optimizer: Optimizer,
  start: Tree,
  gradients: readonly Tree[],
  between: (done: number, now: Optimizer) => Optimizer = (_, now) => now,
): Tree {
  let now = optimizer;
  let params = map(start, (x: Tensor) => x.clone()) as Tree;
  for (const [i, g] of gradients.entries()) {
    now = between(i, now);
    params = now.update(params, g) as Tree;
  }
  return params;
}

function drawn(random: Stream, shapes: Readonly<Record<string, readonly number[]>>): Tree {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, normal(random, shape)]),
  );
}

function laws(make: (learningRate: Rate) => Optimizer): Law[] {
  const law = (
    name: string,
    statement: string,
    bound: number,
    measure: (random: Stream, tally: Tally) => void,
  ): Law => ({
    name,
    statement,
    bound,
    measure: (seed) =>
      scope(() => {
        const tally = new Tally();
        measure(stream(seed, name), tally);
        return tally;
      }),
  });
  return [
    law(
      "elements apart",
      "an element moves as it would alone, however large the parameter, bit by bit",
      0,
      (random, tally) => {
        const size = 4500;
        const large = drawn(random, { w: [size] });
        const gradients = Array.from({ length: updates }, () => drawn(random, { w: [size] }));
        const found = numbers(train(make(0.1), large, gradients)).w!;
        for (const at of [0, 2047, 2048, size - 3]) {
          const part = ({ w }: Tree) => ({ w: w!.slice([[at, at + 2]]).clone() });
          const alone = train(make(0.1), part(large), gradients.map(part));
          const here = Array.from(found).slice(at, at + 2);
          tally.bits(here, numbers(alone).w!, `elements ${at} and ${at + 1}`);
        }
      },
    ),
    law("schedule", "a schedule gives update n the rate schedule(n - 1)", 0, (random, tally) => {
      const start = drawn(random, { w: [3], b: [2, 2] });
      const gradients = Array.from({ length: updates }, () => drawn(random, { w: [3], b: [2, 2] }));
      const rate = (step: number) => 0.1 / (1 + step);
      const asked: number[] = [];
      const scheduled = make((step) => {
        asked.push(step);
        return rate(step);
      });
      const found = numbers(train(scheduled, start, gradients));
      tally.list([...new Set(asked)], [0, 1, 2, 3, 4], "steps that the schedule was asked for");
      // By hand: before each update another optimizer, with that update's rate, goes on from the saved state.
      const expected = train(make(rate(0)), start, gradients, (done, before) => {
        if (done === 0) return before;
        const next = make(rate(done));
        next.load(before.state());
        return next;
      });
      for (const [path, list] of Object.entries(numbers(expected))) {
        tally.bits(found[path]!, list, `by ${path}`);
      }
    }),
    law(
      "saved",
      "stopping, saving and loading into another one changes nothing, bit by bit",
      0,
      (random, tally) => {
        const start = drawn(random, { w: [3], b: [2, 2] });
        const gradients = Array.from({ length: updates }, () =>
          drawn(random, { w: [3], b: [2, 2] }),
        );
        const expected = numbers(train(make(0.1), start, gradients));
        const stopped = train(make(0.1), start, gradients, (done, before) => {
          if (done !== 2) return before;
          const next = make(0.1);
          next.load(before.state());
          return next;
        });
        for (const [path, list] of Object.entries(numbers(stopped))) {
          tally.bits(list, expected[path]!, `by ${path}`);
        }
      },
    ),
    law("as new", "after reset an optimizer is as new, bit by bit", 0, (random, tally) => {
      const start = drawn(random, { w: [3] });
      const gradients = Array.from({ length: updates }, () => drawn(random, { w: [3] }));
      const used = make(0.1);
      const expected = numbers(train(used, start, gradients)).w!;
      used.reset();
      tally.bits(numbers(train(used, start, gradients)).w!, expected, "after reset");
    }),
  ];
}

const own: Law = {
  name: "updates",
  statement: "applyUpdates adds: w + u, so that -rate g is a step of plain gradient descent",
  bound: 1e-15,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const random = stream(seed, "updates");
      const [w, g] = [normal(random, [2, 3]), normal(random, [2, 3])];
      const expected = sgd({ learningRate: 0.3 }).update({ w: w.clone() }, { w: g });
      const found = applyUpdates({ w: w.clone() }, { w: g.mul(-0.3) });
      tally.trees(found, expected, "by");
      return tally;
    }),
};

/** What holds for every optimizer; the formulas are PyTorch's, beside its numbers. */
export function optimizerSubjects(): Subject[] {
  const group = "optimizers";
  return [
    ...Object.entries(makers).map(([name, make]) => ({ name, group, laws: laws(make) })),
    { name: "applyUpdates", group, laws: [own] },
  ];
}
