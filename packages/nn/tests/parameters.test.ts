import { createBackend, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { expect, test } from "vitest";
import { countParameters, initialize, linear, rng } from "../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });

test("countParameters counts elements of float tensors only", () => {
  const params = initialize({ head: linear({ inputs: 5, outputs: 4 }).params }, rng(1), {
    backend,
  });
  expect(countParameters(params)).toBe(24);
  expect(
    countParameters({ params, order: tensor([1, 2], { dtype: "int32", backend }), note: "text" }),
  ).toBe(24);
  expect(countParameters([])).toBe(0);
});
