import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createBackend, type Tensor, tree, zeros } from "@chronograd/autodiff";
import { latest } from "@chronograd/autodiff/internal";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { expect, test } from "vitest";
import { adam, applyUpdates } from "../../src/index.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("a state that nobody holds any more is returned, after updates in place too", async () => {
  const backend = createBackend({ kernels: referenceKernels });
  const used = () => backend.memory.bytesInUse;
  const before = used();
  const dropOne = () => {
    const optimizer = adam();
    const params = { w: zeros([1000], { backend }) };
    let state = optimizer.init(params);
    for (let i = 0; i < 3; i++) {
      [, state] = optimizer.update({ w: zeros([1000], { backend }) }, state, params);
    }
  };
  dropOne();
  expect(used()).toBeGreaterThan(before);
  for (let i = 0; i < 50 && used() > before; i++) {
    collect();
    await setTimeout(1);
  }
  expect(used()).toBe(before);
});

test("the first parameters do not keep the generations after them", async () => {
  const backend = createBackend({ kernels: referenceKernels });
  const optimizer = adam();
  const first = { w: zeros([4], { backend }) };
  const firstState = optimizer.init(first);
  const between: WeakRef<object>[] = [];
  let last: Tensor | undefined;
  const train = () => {
    let [params, state] = [first, firstState];
    for (let i = 0; i < 20; i++) {
      const gradients = { w: zeros([4], { backend }) };
      const [updates, next] = optimizer.update(gradients, state, params);
      params = applyUpdates(params, updates) as typeof first;
      state = next;
      between.push(new WeakRef(params.w), new WeakRef(tree.leaves(state)[0]!));
    }
    last = params.w;
  };
  train();
  const alive = () => between.filter((each) => each.deref() !== undefined).length;
  // What was looked at is kept until the next turn.
  for (let i = 0; i < 50 && alive() > 2; i++) {
    await setTimeout(1);
    collect();
  }
  // The last ones, which the first know.
  expect(alive()).toBe(2);
  expect(latest(first.w)).toBe(last);
  expect(tree.leaves(firstState)).not.toHaveLength(0);
});
