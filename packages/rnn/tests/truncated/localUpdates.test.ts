import { defaultBackend, tensor } from "@chronograd/autodiff";
import { applyUpdates, selfCommunicator, sgd } from "@chronograd/nn";
import { runWorkers } from "@chronograd/nn/node";
import { localUpdates } from "@chronograd/nn/parallel";
import { expect, test } from "vitest";
import { type TimeStep, truncated } from "../../src/index.ts";
import type { Given } from "./localWorkers.ts";
import { distance, line, type Numbers } from "./setup.ts";

const module = new URL("./localWorkers.ts", import.meta.url);
const run = <Output>(workers: number, input: Given) =>
  runWorkers<Output, Given>(module, { workers, input });

test("one update between averages is the update of all rows, in every mode", async () => {
  const found = await run<{ synchronous: Numbers; local: Numbers }[]>(2, { task: "modes" });
  expect(found[0]).toHaveLength(6);
  for (const [i, { synchronous, local }] of found.flat().entries()) {
    expect(distance(local, synchronous)).toBeLessThan(1e-12);
    expect(local).toEqual(found[0]![i % 6]!.local);
  }
});

test("a long stream holds no more than a short one", () => {
  const { memory } = defaultBackend();
  const params = { w: tensor(0.5, { dtype: "float64" }) };
  const step: TimeStep = { input: tensor([[0]]), target: tensor([[0]]) };
  const optimizer = sgd({ learningRate: 1e-3, momentum: 0.9 });
  const local = localUpdates({ communicator: selfCommunicator, updates: 3, optimizer });
  let [present, common] = [params, local.init(params)];
  const used: number[] = [];
  for (const window of truncated(line, params, Array(600).fill(step), {
    ...{ k1: 1, k2: 3 },
    loss: (x) => x,
  })) {
    present = applyUpdates(present, { w: window.gradients.w.mul(-1e-3) });
    [present, common] = local.update(present, common);
    if (window.end === 60 || window.end === 600) used.push(memory.bytesInUse);
  }
  expect(used[1]).toBe(used[0]);
});

test("a NaN on one worker ends all, with one sentence", async () => {
  const error = await run(2, { task: "NaN" }).catch((thrown: unknown) => thrown);
  expect(String(error).replaceAll(/entry \d+|\d\.\d+/g, "N")).toMatchInlineSnapshot(
    `"WorkerError: worker 1 of 2: truncated: the loss of step 7 is NaN; forward: the constant a holds NaN at [0,0]: matmul [3,2] [2,9] -> [3,9] (N), time step 7; the constant a is NaN there; "W" is at most N in size, at [0,1]; lower the learning rate, clip gradients, or look at the input of that step"`,
  );
});
