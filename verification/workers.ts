import { concat, scope, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import type { Communicator } from "@chronograd/nn";
import { bothSay } from "./bothSay.ts";
import { type Drawn, drawn, run, type Seen } from "./planned.ts";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";
import type { State } from "./truncation/problem.ts";

/** A communicator that acts as if a second worker had the same rows and the same results. */
const twins: Communicator = {
  rank: 0,
  size: 2,
  allReduce: <T>(values: T): T => {
    const same = bothSay(values);
    if (same !== undefined) return same;
    const doubled = tree.map(values, (x: Tensor) => x.mul(2));
    return tree.map<unknown, number, number>(doubled, (x) => 2 * x, isNumber) as T;
  },
  broadcast: (values) => values,
  barrier: () => {},
};

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

const windows: Law = {
  name: "two workers",
  statement: "two workers with the same rows yield the windows of one that has these rows twice",
  bound: 1e-10,
  measure(seed) {
    const tally = new Tally();
    for (let draw = 0; draw < draws; draw++) {
      scope(() => compare(drawn(draws * seed + draw), tally));
    }
    return tally;
  },
};

/** How many streams are drawn for each seed. */
const draws = 4;

function compare({ model, params, steps, options, updates, loss }: Drawn, tally: Tally): void {
  const twice = (x: Tensor) => concat([x, x]);
  const state = tree.map(options.state, twice) as unknown as State;
  const all = steps.map(({ input, target }) => ({ input: twice(input), target: twice(target) }));
  const one = run(model, params, all, { ...options, state, compile: false }, updates, loss);
  const two = run(model, params, steps, { ...options, communicator: twins }, updates, loss);
  tally.check(one.length === two.length, () => `${two.length} windows, expected ${one.length}`);
  for (const [j, found] of two.entries()) {
    const expected: Seen = one[j]!;
    tally.bits(found.span, expected.span, `window ${j}, span`);
    tally.trees(found.gradients, expected.gradients, `window ${j}, gradient`);
    tally.list(found.losses, expected.losses, `window ${j}, losses`);
    tally.list([found.loss], [expected.loss], `window ${j}, loss`);
    tally.list(found.norms, expected.norms, `window ${j}, norms`);
  }
}

/** The windows of several workers equal those of one worker with all rows. */
export function workersSubject(): Subject {
  return { name: "truncated, over workers", group: "truncated streams", laws: [windows] };
}
