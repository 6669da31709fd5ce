import { checkOptions } from "@chronograd/autodiff/internal";
import { expect, it } from "vitest";

const check = (options: unknown, known: string[] = ["learningRate", "beta1", "k1", "input"]) =>
  checkOptions("f", options, known);

it("takes options that are known, and none", () => {
  expect(() => check(undefined)).not.toThrow();
  expect(() => check({})).not.toThrow();
  expect(() => check({ k1: 1, beta1: undefined })).not.toThrow();
});

it.each([
  ["lr", "learningRate"],
  ["K1", "k1"],
  ["inputs", "input"],
  ["learning_rate", "learningRate"],
  ["learnignRate", "learningRate"],
])("says of %s that %s is meant", (name, meant) => {
  expect(() => check({ [name]: 1 })).toThrow(
    `there is no option "${name}", did you mean "${meant}"?`,
  );
});

it("prefers a misspelt name to a part of one", () => {
  const known = ["loss", "losses", "state", "stale"];
  expect(() => check({ lossses: 1 }, known)).toThrow('did you mean "losses"?');
  expect(() => check({ stael: 1 }, known)).toThrow('did you mean "stale"?');
});

it("says nothing of a name that is near to none", () => {
  expect(() => check({ units: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: f: there is no option "units". It takes learningRate, beta1, k1, input]`,
  );
});

it("refuses what is no object", () => {
  for (const options of [true, null, 3, [1], "x"]) expect(() => check(options)).toThrow(TypeError);
  expect(() => check(true)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: f: options must be an object such as { learningRate: ... }, got true. It takes learningRate, beta1, k1, input]`,
  );
});
