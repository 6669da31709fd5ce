// Workers that add up and that average: sums over workers, and updates of each one's own.
import { type Tensor, tensor } from "@chronograd/autodiff";
import { applyUpdates, type Communicator, type Rng, rng, sgd } from "@chronograd/nn";
import { distributedValueAndGrad, localUpdates, shardList } from "@chronograd/nn/parallel";
import { lawOver } from "./lawOver.ts";
import { onRanks } from "./ranks.ts";
import type { Subject } from "./subject.ts";
import { type Tally, values } from "./tally.ts";
import { between, oneOf } from "./truncation/problem.ts";

/**
 * The sum as it is defined: of both sides of the largest power of two below the number of parts.
 */
function pairwise(parts: readonly number[][], round: (x: number) => number): number[] {
  if (parts.length === 1) return parts[0]!;
  let middle = 1;
  while (2 * middle < parts.length) middle *= 2;
  const [a, b] = [parts.slice(0, middle), parts.slice(middle)].map((side) => pairwise(side, round));
  return a!.map((x, i) => round(x + b![i]!));
}

const sums = lawOver(
  5,
  "order of sums",
  "a sum over workers is added up in pairs, bit for bit, also by half or a quarter as many workers that hold the sums of neighbours",
  0,
  (seed, tally) => {
    const random = rng(seed, "order of sums");
    const dtype = oneOf(random, ["float32", "float64"] as const);
    const round = dtype === "float32" ? Math.fround : (x: number) => x;
    const length = between(random, 1, 70);
    // Magnitudes apart, so that the order shows.
    const draw = () => round(random.normal() * 10 ** between(random, -6, 6));
    const parts = Array.from({ length: between(random, 1, 8) }, () => Array.from({ length }, draw));
    const expected = pairwise(parts, round);
    for (const group of [1, 2, 4]) {
      const held: number[][] = [];
      for (let i = 0; i < parts.length; i += group) {
        held.push(pairwise(parts.slice(i, i + group), round));
      }
      const found = onRanks(held.length, (all) =>
        values(all.allReduce(tensor(held[all.rank]!, { dtype }))),
      );
      for (const each of found) {
        tally.bits(each, expected, `${parts.length} parts on ${held.length} workers`);
      }
    }
  },
);

/** A problem for each worker, `a/2 (w - c)^2`, and how it is trained. */
function drawn(random: Rng) {
  const size = between(random, 1, 4);
  return {
    size,
    updates: between(random, 1, 4),
    rounds: between(random, 1, 4),
    begin: random.normal(),
    rate: 0.3 * random.uniform(),
    outer: { learningRate: 0.2 + random.uniform(), momentum: 0.9 * random.uniform() },
    problems: Array.from({ length: size }, () => {
      return { a: 0.2 + 2 * random.uniform(), c: random.normal() };
    }),
  };
}

const on = { dtype: "float64" } as const;

/** This worker's parameter after each update. */
function train(all: Communicator, { updates, rounds, begin, rate, outer, problems }: Drawn) {
  const { a, c } = problems[all.rank]!;
  const optimizer = sgd({ ...outer, nesterov: true });
  const local = localUpdates({ communicator: all, updates, optimizer });
  let params = { w: tensor(begin, on), table: tensor(7, { dtype: "int32" }) };
  let state = local.init(params);
  return Array.from({ length: updates * rounds }, () => {
    const moved = { w: params.w.sub(c).mul(-rate * a) };
    [params, state] = local.update(applyUpdates(params, moved as never) as typeof params, state);
    return params.w.item();
  });
}

type Drawn = ReturnType<typeof drawn>;

const averages = lawOver(
  5,
  "local updates",
  "on quadratics, workers that average now and then hold what the closed form of their updates and the outer step say",
  1e-10,
  (seed, tally) => {
    const given = drawn(rng(seed, "local updates"));
    const { size, updates, rounds, begin, rate, outer, problems } = given;
    const found = onRanks(size, (all) => train(all, given));
    let [s, b] = [begin, 0];
    for (let round = 0; round < rounds; round++) {
      const after = (n: number) => problems.map(({ a, c }) => c + (1 - rate * a) ** n * (s - c));
      for (let n = 1; n < updates; n++) {
        const held = found.map((each) => each[round * updates + n - 1]!);
        tally.list(held, after(n), `round ${round}, update ${n}`);
      }
      const change = after(updates).reduce((sum, w) => sum + s - w, 0) / size;
      b = outer.momentum * b + change;
      s -= outer.learningRate * (change + outer.momentum * b);
      const held = found.map((each) => each[(round + 1) * updates - 1]!);
      tally.list(held, Array(size).fill(s), `average ${round}`);
      tally.bits(held, Array(size).fill(held[0]), `average ${round}, on all`);
    }
  },
);

const means = lawOver(
  5,
  "means over rows",
  "value and gradient of a mean are those over the rows of all workers, also where some have none, with the same bits on all",
  1e-12,
  (seed, tally) => {
    const random = rng(seed, "means over rows");
    const size = between(random, 1, 5);
    // A row is some numbers; the mean is over all of them.
    const rows = Array.from({ length: between(random, 1, 7) }, () =>
      Array.from({ length: between(random, 1, 4) }, () => random.normal()),
    );
    const at = random.normal();
    const found = onRanks(size, (all) => {
      const lossOf = distributedValueAndGrad(
        ({ w }: { w: Tensor }, own: readonly number[][]) =>
          tensor(own.flat(), on).sub(w).square().mean(),
        { communicator: all, weight: (own) => own.flat().length },
      );
      const [value, { w }] = lossOf({ w: tensor(at, on) }, shardList(rows, all));
      return [value, w.item()];
    });
    const numbers = rows.flat();
    const mean = (f: (x: number) => number) =>
      numbers.reduce((sum, x) => sum + f(x), 0) / numbers.length;
    const expected = [mean((x) => (at - x) ** 2), mean((x) => 2 * (at - x))];
    for (const [rank, each] of found.entries()) {
      tally.list(each, expected, `worker ${rank} of ${size}`);
      tally.bits(each, found[0]!, `worker ${rank} of ${size}, beside the first`);
    }
  },
);

const refusals = lawOver(
  3,
  "what keeps workers from averaging",
  "a change that is not finite, another beginning or another number of updates on one worker is told on all",
  0,
  (seed, tally) => {
    const random = rng(seed, "refusals of averages");
    const size = between(random, 2, 4);
    const odd = between(random, 1, size - 1);
    const told = (words: RegExp, act: (all: Communicator, isOdd: boolean) => void) => {
      const call = (all: Communicator) => throwing(tally, words, () => act(all, all.rank === odd));
      onRanks(size, call);
    };
    const average = (all: Communicator, updates: number, from: number, to: Tensor) => {
      const local = localUpdates({
        communicator: all,
        updates,
        optimizer: sgd({ learningRate: 1 }),
      });
      let [params, state] = [{ w: to }, local.init({ w: tensor([1, from]) })];
      for (let i = 0; i < 2; i++) [params, state] = local.update(params, state);
    };
    const bad = oneOf(random, [Number.NaN, Infinity, -Infinity]);
    const where = new RegExp(`^worker ${odd} of ${size}: localUpdates.update: the change of "w"`);
    told(where, (all, isOdd) => average(all, 1, 2, tensor([1, isOdd ? bad : 2])));
    const begins = new RegExp(`begin with the same parameters, and worker ${odd} of ${size}`);
    told(begins, (all, isOdd) => average(all, 1, isOdd ? 3 : 2, tensor([1, 2])));
    const made = new RegExp(`got 1 on worker 0 of ${size} and 2 on worker ${odd};`);
    told(made, (all, isOdd) => average(all, isOdd ? 2 : 1, 2, tensor([1, 2])));
  },
);

/** As `tally.throws`, once all others have sent what the call needs. */
function throwing(tally: Tally, words: RegExp, act: () => void): void {
  try {
    act();
  } catch (error) {
    const { message } = error as Error;
    if (message === "not sent yet") throw error;
    tally.check(words.test(message), () => `threw ${message}`);
    return;
  }
  tally.check(false, () => `nothing was thrown, expected ${words}`);
}

/** What workers hold in common. */
export function averageSubject(): Subject {
  return { name: "averages", group: "workers", laws: [sums, means, averages, refusals] };
}
