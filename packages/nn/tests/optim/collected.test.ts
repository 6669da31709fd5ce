import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createBackend, zeros } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { expect, test } from "vitest";
import { adam } from "../../src/index.ts";

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
