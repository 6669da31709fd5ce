import { createBackend, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { expect, test } from "vitest";
import {
  countParameters,
  flatten,
  initialize,
  leaves,
  linear,
  map,
  stream,
  zip,
} from "../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });

test("countParameters counts elements of float tensors only", () => {
  const params = initialize({ head: linear({ input: 5, output: 4 }).params }, stream(1), {
    backend,
  });
  expect(countParameters(params)).toBe(24);
  expect(
    countParameters({ params, order: tensor([1, 2], { dtype: "int32", backend }), note: "text" }),
  ).toBe(24);
  expect(countParameters([])).toBe(0);
});

test("the tree functions of autodiff are here too", () => {
  const tree = { a: tensor([1], { backend }), b: [tensor([2], { backend })] };
  expect(flatten(tree).map(([path]) => path)).toEqual(["a", "b.0"]);
  expect(leaves(map(tree, (x) => x.mul(2))).map((x) => x.item())).toEqual([2, 4]);
  expect(zip(tree, tree, (a, b) => a.add(b).item()).b).toEqual([4]);
});
