// What the workers of `localUpdates.test.ts` do: train on their rows by windows of their own.
import { type Tensor, tree } from "@chronograd/autodiff";
import { applyUpdates, type Communicator, sgd } from "@chronograd/nn";
import { localUpdates, shard } from "@chronograd/nn/parallel";
import { type TimeStep, truncated } from "../../src/index.ts";
import { type AnyParams, modes, numbers, problem } from "./setup.ts";

export interface Given {
  readonly task: keyof typeof tasks;
}

interface Setting {
  readonly isLocal: boolean;
  readonly stale: (typeof modes)[number];
  readonly compile: boolean;
  readonly bug?: "NaN" | undefined;
}

/** The parameters at the end of one stream, of 6 rows in all. */
function train(communicator: Communicator, { isLocal, stale, compile, bug }: Setting): unknown {
  const { cell, params, steps, loss } = problem("gru", 14, 1, 6);
  let present = tree.map(params, (x: Tensor) => x.clone()) as AnyParams;
  const optimizer = sgd({ learningRate: 0.1 });
  let state = optimizer.init(present);
  const updates = bug === undefined ? 1 : 5;
  const mean = sgd({ learningRate: 1 });
  const local = localUpdates({ communicator, updates, optimizer: mean });
  let common = local.init(present);
  const own = steps.map((step, i): TimeStep => {
    const { input, target } = shard(step, communicator);
    const isBad = bug === "NaN" && communicator.rank === 1 && i + 1 === 7;
    return { input: isBad ? input.mul(Number.NaN) : input, target };
  });
  const options = { k1: 2, k2: 4, stale, compile, reduction: "mean" as const, loss };
  const stream = truncated(cell, present, own, { ...options, ...(!isLocal && { communicator }) });
  for (const window of stream) {
    const [moved, next] = optimizer.update(window.gradients, state, present);
    present = applyUpdates(present, moved as AnyParams) as AnyParams;
    state = next;
    if (isLocal) [present, common] = local.update(present, common);
  }
  return numbers(present);
}

const tasks = {
  modes: (all: Communicator) =>
    modes.flatMap((stale) =>
      [false, true].map((compile) => ({
        synchronous: train(all, { isLocal: false, stale, compile }),
        local: train(all, { isLocal: true, stale, compile }),
      })),
    ),
  NaN: (all: Communicator) =>
    train(all, { isLocal: true, stale: "carry", compile: false, bug: "NaN" }),
};

export default (all: Communicator, { task }: Given): unknown => tasks[task](all);
