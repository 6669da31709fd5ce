import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createBackend, scope, zeros } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { expect, test } from "vitest";
import { adam } from "../../src/index.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("the moments of an optimizer that nobody holds any more are returned", async () => {
  const backend = createBackend({ kernels: referenceKernels });
  const used = () => backend.memory.bytesInUse;
  const before = used();
  const dropOne = () => {
    scope(() => {
      const params = { w: zeros([1000], { backend }) };
      adam().update(params, { w: zeros([1000], { backend }) });
    });
  };
  dropOne();
  expect(used()).toBeGreaterThan(before);
  for (let i = 0; i < 50 && used() > before; i++) {
    collect();
    await setTimeout(1);
  }
  expect(used()).toBe(before);
});
