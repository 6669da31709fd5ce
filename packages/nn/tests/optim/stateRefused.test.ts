import { tensor } from "@chronograd/autodiff";
import { expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  type GradientTransformation,
  rmsprop,
  scaleByLearningRate,
  sgd,
  trace,
} from "../../src/index.ts";

const rules: Readonly<Record<string, () => GradientTransformation>> = {
  "sgd.update": () => sgd({ learningRate: 0.1 }),
  "sgd.update, momentum": () => sgd({ learningRate: 0.1, momentum: 0.9 }),
  "adam.update": () => adam(),
  "adamW.update, amsgrad": () => adamW({ amsgrad: true }),
  "rmsprop.update": () => rmsprop(),
  "rmsprop.update, centred": () => rmsprop({ centered: true }),
  "rmsprop.update, momentum": () => rmsprop({ momentum: 0.5 }),
  "adagrad.update": () => adagrad({ learningRate: 0.1 }),
  "trace.update": () => trace({ decay: 0.9 }),
  "scaleByLearningRate.update": () => scaleByLearningRate(0.1),
};
const each = Object.entries(rules);
const params = () => ({ w: tensor([1, 2]), n: tensor(1, { dtype: "int32" }) });
const namesOf = (state: unknown) => Object.keys(state as object).join();

test.each(each)("%s takes states of its own leaves and no others", (name, make) => {
  const rule = make();
  const p = params();
  for (const [, other] of each) {
    const state = other().init(p);
    const call = () => rule.update(p, state, p);
    if (namesOf(state) === namesOf(rule.init(p))) call();
    else expect(call).toThrow(`${name.split(",")[0]}: the state's `);
  }
  // Nothing was consumed by what was refused.
  expect(p.w.toArray()).toEqual([1, 2]);
});

test.each(each)("%s refuses a step below 0", (name, make) => {
  const rule = make();
  const p = params();
  const state = { ...(rule.init(p) as object), step: tensor(-3, { dtype: "int32" }) };
  expect(() => rule.update(p, state, p)).toThrow(
    `${name.split(",")[0]}: the state's step must be at least 0, got -3`,
  );
});

test("what stands in a state and not in the parameters is refused", () => {
  const rule = adam();
  const { w, n } = params();
  const state = rule.init({ w, deep: { b: w.clone() }, n });
  expect(() => rule.update({}, state, {})).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: adam.update: the state has m at "w" and params have no such value; pass what init(params), or the update before, returned]`,
  );
  expect(() => rule.update({ w }, state, { w })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: adam.update: the state has m at "deep.b" and params have no such value; pass what init(params), or the update before, returned]`,
  );
  expect(() => rule.update({}, rule.init(w), {})).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: adam.update: the state has m at the parameter and params have no such value; pass what init(params), or the update before, returned]`,
  );
  expect(() => rule.update({ w }, rule.init({ w, n }), { w })).not.toThrow();
  const rms = rmsprop();
  expect(() => rms.update({ w }, rule.init({ w }), { w })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: rmsprop.update: the state's "m" is of another rule, or of other options; pass what init(params), or the update before, returned]`,
  );
});
