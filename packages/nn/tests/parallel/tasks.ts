// What the workers of the tests do: each a task by its name.
import { tensor } from "@chronograd/autodiff";
import { type Communicator, rng } from "../../src/index.ts";
import { bitsOf, type Drawn, failure, sleep, treeOf } from "./conformance.ts";

export interface Given extends Drawn {
  readonly task: keyof typeof tasks;
  readonly times?: number;
  /** Counts as long as a worker lives. */
  readonly pulse?: Int32Array;
}

const tasks = {
  "a large sum": (all: Communicator, given: Given) =>
    bitsOf(all.allReduce(treeOf(all.rank, given))),
  often: (all: Communicator, { times = 1000 }: Given) => {
    const random = rng(all.rank);
    let total = 0;
    for (let i = 0; i < times; i++) {
      // Sometimes one is late, so that others fall asleep.
      if (random.uniform() < 0.02) sleep(2 * random.uniform());
      const x = tensor([i + all.rank, 1]);
      const { sum } = all.allReduce({ sum: x });
      if (sum.toTypedArray()[0] !== all.size * i + (all.size * (all.size - 1)) / 2) return i;
      total += all.broadcast(sum, i % all.size).toTypedArray()[1]!;
      if (i % 3 === 0) all.barrier();
    }
    return total;
  },
  shapes: (all: Communicator) =>
    failure(() => all.allReduce({ W: tensor(all.rank === 0 ? [1, 2] : [1, 2, 3]) })),
  dtypes: (all: Communicator) =>
    failure(() =>
      all.allReduce([0, tensor([1], { dtype: all.rank === 1 ? "float64" : "float32" })]),
    ),
  structure: (all: Communicator) =>
    failure(() => all.allReduce(all.rank === 0 ? { a: 1, b: 2 } : { a: 1 })),
  keys: (all: Communicator) => failure(() => all.allReduce(all.rank === 0 ? { a: 1 } : { b: 1 })),
  calls: (all: Communicator) =>
    failure(() => (all.rank === 0 ? all.barrier() : all.allReduce({ a: 1 }))),
  roots: (all: Communicator) => failure(() => all.broadcast({ a: 1 }, all.rank)),
  late: (all: Communicator) =>
    failure(() => all.allReduce(Array.from({ length: 5000 + all.rank }, () => 1))),
  "goes on": (all: Communicator) => {
    const first = failure(() => all.allReduce(all.rank === 0 ? [1] : [1, 2]));
    return [first.split(":")[0], all.allReduce(all.rank), all.broadcast(all.rank, 1)];
  },
  throws: (all: Communicator) => {
    if (all.rank === 1) throw new RangeError("the data is bad");
    all.barrier();
  },
  "throws while others compute": (all: Communicator, { pulse }: Given) => {
    const others = () => pulse !== undefined && Atomics.load(pulse, 0) === 0;
    while (all.rank === 1 && others());
    if (all.rank === 1) throw new RangeError("the data is bad");
    for (;;) if (pulse !== undefined) Atomics.add(pulse, 0, 1);
  },
  "throws no error": (all: Communicator) => {
    if (all.rank === 0) throw "a string";
    all.barrier();
  },
  "throws later": (all: Communicator) => {
    if (all.rank === 1) setTimeout(() => JSON.parse("{"));
    return new Promise(() => setInterval(() => {}, 1000));
  },
  rejects: async (all: Communicator) => {
    await Promise.resolve();
    if (all.rank === 1) throw new RangeError("the data is bad");
    all.barrier();
  },
  exits: (all: Communicator) => {
    if (all.rank === 1) process.exit(3);
    all.barrier();
  },
  "exits well": (all: Communicator) => {
    if (all.rank === 1) process.exit(0);
    all.barrier();
  },
  "never settles": () => new Promise(() => {}),
  "returns early": (all: Communicator) => {
    if (all.rank === 1) return;
    all.barrier();
    all.allReduce(1);
  },
  "returns a function": () => () => {},
  "leaves a timer": (all: Communicator, { pulse }: Given) => {
    setInterval(() => pulse && Atomics.add(pulse, 0, 1), 1);
    return all.rank;
  },
  echo: (_: Communicator, given: Given) => given,
  size: (all: Communicator) => all.size,
};

export default (all: Communicator, given: Given): unknown => tasks[given.task](all, given);
