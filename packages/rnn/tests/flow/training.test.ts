import { tensor, tree } from "@chronograd/autodiff";
import { adam, chain, clipByGlobalNorm, clipByValue, rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { clipRatio, observedClip, updateToWeightRatio } from "../../src/flow.ts";

const params = () => ({
  W: tensor([
    [3, 0],
    [0, 4],
  ]),
  b: tensor([1, 2]),
});

test("update-to-weight ratios, by parameter and of all, whatever the scale", () => {
  const updates = {
    W: tensor([
      [0, 0.3],
      [0.4, 0],
    ]),
    b: tensor([0, 0]),
  };
  const found = updateToWeightRatio(updates, params());
  expect(found.byParameter.W).toBeCloseTo(0.1, 7);
  expect(found.byParameter.b).toBe(0);
  expect(found.total).toBeCloseTo(0.5 / Math.sqrt(30), 7);
  const large = { w: tensor([3e200, 4e200], { dtype: "float64" }) };
  const larger = { w: tensor([3e-200, 4e-200], { dtype: "float64" }) };
  expect(updateToWeightRatio(large, large).total).toBe(1);
  expect(updateToWeightRatio(larger, larger).byParameter).toEqual({ w: 1 });
});

test("a clip that is observed gives bit by bit what the clip gives, and counts", () => {
  const random = rng(1);
  const draw = () => ({
    W: tensor(
      Float32Array.from({ length: 4 }, () => random.normal()),
      { shape: [2, 2] },
    ),
    b: tensor(Float32Array.from({ length: 2 }, () => random.normal())),
  });
  const all = Array.from({ length: 20 }, draw);
  for (const clip of [clipByGlobalNorm(1.5), clipByValue(1)]) {
    const plain = chain({ clip, adam: adam({ learningRate: 0.1 }) });
    const observed = chain({ clip: observedClip(clip), adam: adam({ learningRate: 0.1 }) });
    let before = plain.init(params());
    let state = observed.init(params());
    let clipped = 0;
    for (const [i, gradients] of all.entries()) {
      const values = tree.leaves(gradients).flatMap((g) => Array.from(g.toTypedArray()));
      const limited = clip.update(gradients, clip.init(params()), params())[0] as typeof gradients;
      const after = tree.leaves(limited).flatMap((g) => Array.from(g.toTypedArray()));
      const [u, next] = plain.update(gradients, before, params());
      const [v, later] = observed.update(gradients, state, params());
      [before, state] = [next, later];
      for (const [a, b] of [
        [u.W, v.W],
        [u.b, v.b],
      ] as const) {
        expect(Array.from(b.toTypedArray())).toEqual(Array.from(a.toTypedArray()));
      }
      const ratio = Math.hypot(...after) / Math.hypot(...values);
      if (after.some((value, k) => value !== values[k])) clipped++;
      const found = clipRatio(state.clip);
      expect(found.ratio).toBeCloseTo(ratio, 12);
      expect([found.updates, found.clipped]).toEqual([i + 1, clipped]);
      expect(found.share).toBe(clipped / (i + 1));
    }
    expect(clipped).toBeGreaterThan(0);
    expect(clipped).toBeLessThan(20);
  }
});

test("refused in a sentence", () => {
  const said = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };
  const given = params();
  expect([
    said(() => updateToWeightRatio({ W: given.W } as never, given)),
    said(() => updateToWeightRatio({ ...given, c: given.b } as never, given)),
    said(() => updateToWeightRatio({ ...given, b: tensor([1]) }, given)),
    said(() => updateToWeightRatio({ ...given, b: tensor([1, Number.NaN]) }, given)),
    said(() => observedClip(1 as never)),
    said(() => clipRatio({ norm: tensor(1) } as never)),
    said(() => clipRatio(observedClip(clipByGlobalNorm(1)).init(given))),
  ]).toMatchInlineSnapshot(`
    [
      "updateToWeightRatio: the parameter "b" is Tensor float32 [2] and the update there is missing; give the updates of these parameters",
      "updateToWeightRatio: the updates have 3 tensors, and the parameters 2; give the updates of these parameters",
      "updateToWeightRatio: the parameter "b" is Tensor float32 [2] and the update there Tensor float32 [1]; give the updates of these parameters",
      "updateToWeightRatio: the update of "b" holds NaN; clip gradients, or lower the learning rate",
      "observedClip: expected a clip such as clipByGlobalNorm(1), got number",
      "clipRatio: expected the state of observedClip(clip); in a chain it is the state of that link",
      "nothing",
    ]
  `);
});

test("updateToWeightRatio refuses a ratio that overflows", () => {
  const one = (value: number) => ({ a: tensor([value], { dtype: "float64" }) });
  expect(() => updateToWeightRatio(one(1e200), one(1e-200))).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: updateToWeightRatio: the update of "a" has the norm 1e+200, and the weights 1e-200, whose ratio overflows; clip gradients, or lower the learning rate]`,
  );
  expect(updateToWeightRatio(one(1e-200), one(1e200)).total).toBe(0);
});
