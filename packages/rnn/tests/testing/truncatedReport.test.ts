import { scope, type Tensor, tree } from "@chronograd/autodiff";
import { apply, type OpDeclaration } from "@chronograd/autodiff/extend";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { defineCell, initialParams, truncated } from "../../src/index.ts";
import { checkTruncated, type WindowsFunction } from "../../src/testing.ts";
import { type Bug, loss, model, planted, stepsOf } from "./planted.ts";

const only = { stale: "carry", losses: "new", reduction: "sum" } as const;
const steps = stepsOf(11);
const sizes = { input: 2, hidden: 3 };

/** A report without the last digits of its numbers. */
function stable(report: unknown): string {
  return String(report)
    .replace(/worst \S+/g, "worst _")
    .replace(/-?\d+\.\d{5,}(?:e[+-]?\d+)?/g, (x) => Number(x).toPrecision(4));
}

describe("the report says what is wrong", () => {
  test("a cut one step early", () => {
    const windows = planted({ cut: ({ start }) => Math.max(0, start - 1) });
    const report = checkTruncated(model, steps, { k1: 2, k2: 4, ...only, loss, windows });
    expect(stable(report)).toMatchInlineSnapshot(`
      "truncated, k1 2, k2 4, 11 steps: 1 of 1 modes wrong
        WRONG     carry      new                  sum   6 windows, 108 derivatives, worst _
          window 2, steps (2, 6], new after 4: d/d params.W[0,0] is -0.6855, by differences -0.9420; 18 of 18 derivatives differ
            the contribution of step 2, which lies before the cut at 2, is in the gradient: the state after step 1 is held constant, not the one after step 2, as if k2 were 5
          window 3, steps (4, 8], new after 6: d/d params.U[2,0] is 0.3505, by differences 0.2416; 18 of 18 derivatives differ
            the contribution of step 4, which lies before the cut at 4, is in the gradient: the state after step 3 is held constant, not the one after step 4, as if k2 were 5
          window 4, steps (6, 10], new after 8: d/d params.b[0] is 0.5046, by differences 0.8456; 18 of 18 derivatives differ
            the contribution of step 6, which lies before the cut at 6, is in the gradient: the state after step 5 is held constant, not the one after step 6, as if k2 were 5
          window 5, steps (7, 11], new after 10: d/d params.b[1] is 2.928, by differences 2.883; 18 of 18 derivatives differ
            the contribution of step 7, which lies before the cut at 7, is in the gradient: the state after step 6 is held constant, not the one after step 7, as if k2 were 5"
    `);
    expect(() => report.assert()).toThrow(/1 of 1 modes wrong/);
    const { path, element, analytic, numeric } = report.modes[0]!.failures[0]!;
    expect([path, element]).toEqual(["W", 0]);
    expect(Math.abs(analytic! - numeric!)).toBeGreaterThan(0.01);
  });

  test.each<[string, Bug]>([
    [
      "weights of the wrong age",
      { age: (t, { start, index }, k1) => (t > start ? index : Math.ceil(t / k1) - 1) },
    ],
    ["a lost step", { isConstant: (t, { newFrom }) => t === newFrom }],
    ["something that fits nothing", { after: (g) => tree.map(g, (x: Tensor) => x.add(1)) }],
    ["one parameter", { after: (g) => ({ ...g, U: g.U.mul(1.5) }) }],
  ])("%s", (_what, bug) => {
    const report = checkTruncated(model, steps, {
      k1: 2,
      k2: 4,
      ...only,
      loss,
      windows: planted(bug),
    });
    expect(stable(report.modes[0]!.failures[1]!.diagnosis)).toMatchSnapshot();
  });
});

describe("other modes", () => {
  type Windows = WindowsFunction<typeof model.params, typeof model.state, Tensor, Tensor, Tensor>;
  const instead =
    (change: object): Windows =>
    (cell, params, stream, options) =>
      truncated(cell, params, stream, { ...options, ...change });
  const kindsOf = (change: object, mode: object) => {
    const settings = { k1: 2, k2: 4, ...only, ...mode };
    const report = checkTruncated(model, steps, { ...settings, loss, windows: instead(change) });
    return report.modes[0]!.failures.map(({ kind }) => kind).filter((kind) => kind !== "");
  };

  test.each([
    ["recompute for carry", { stale: "recompute" }, {}, "recompute"],
    ["carry for recompute", { stale: "carry" }, { stale: "recompute" }, "carry"],
    ["endpoint for window", { losses: "endpoint" }, { losses: "window" }, "endpoint sum"],
    ["a sum for a mean", { reduction: "sum" }, { reduction: "mean" }, "new sum"],
    ["k2 of 5 for 4, deferred", { k2: 5 }, { stale: "defer" }, "k2 5"],
    ["no cut, deferred", { k2: Infinity }, { stale: "defer" }, "not cut"],
    ["a mean, deferred", { reduction: "mean" }, { stale: "defer" }, "new mean"],
    ["the endpoints, deferred", { losses: "endpoint" }, { stale: "defer" }, "endpoint sum"],
  ])("%s", (_what, change, mode, kind) => {
    const found = kindsOf(change, mode);
    expect(found.length).toBeGreaterThan(0);
    expect(found.at(-1)).toBe(kind);
  });

  test("multiplicity forgotten", () => {
    const mode = { losses: "window", multiplicity: true };
    expect(kindsOf({ multiplicity: false }, mode)).toContain("window sum");
  });

  test("windows that lie elsewhere, losses that are not those, too many windows, none", () => {
    const check = (windows: Windows) =>
      checkTruncated(model, steps, { k1: 2, k2: 4, ...only, loss, windows }).modes[0]!.failures[0]!
        .message;
    expect(check(instead({ k2: 5 }))).toMatchInlineSnapshot(
      `"window 2, steps (2, 6], new after 4: start is 1, by definition 2"`,
    );
    expect(
      stable(
        check(function* (...all) {
          for (const window of truncated(...all)) yield { ...window, losses: [1, 2] };
        }),
      ),
    ).toMatchInlineSnapshot(
      `"window 0, steps (0, 2], new after 0: the loss of step 1 is 1, step by step it is 15.59"`,
    );
    expect(
      check(function* (...all) {
        for (const { gradients } of truncated(...all)) yield { gradients };
        yield { gradients: {} as never };
      }),
    ).toMatchInlineSnapshot(`"there are more than 6 windows"`);
    expect(check(() => [])).toMatchInlineSnapshot(
      `"window 0, steps (0, 2], new after 0: there is no such window"`,
    );
    expect(
      check(() => {
        throw new Error("mine");
      }),
    ).toMatchInlineSnapshot(`"window 0, steps (0, 2], new after 0: threw: mine"`);
  });
});

test("where the model's own gradient is wrong, the truncation is not blamed", () => {
  const declaration: OpDeclaration = {
    name: "halfHearted",
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    view: () => 0,
    residuals: { inputs: [], output: false },
    vjp: [(g) => g.mul(0.5)],
    jvp: "linear",
    samples: [],
  };
  const cell = defineCell({
    params: () => model.params,
    state: () => model.state,
    step: ({ W, U, b }, x: Tensor, { h }) => {
      const sum = x
        .matmul(W)
        .add(apply(declaration, [h.matmul(U)], undefined))
        .add(b);
      return [sum.tanh(), { h: sum.tanh() }];
    },
  })(sizes);
  const { failures } = checkTruncated(cell, steps, { k1: 2, k2: 4, ...only, loss }).modes[0]!;
  expect(failures[0]!.kind).toBe("model");
  expect(failures[0]!.diagnosis).toContain("testCell(model)");
});

test("a kink in every draw is undecided, not right", () => {
  const zero = tree.map(initialParams(model, rng(1)), (x: Tensor) => x.mul(0));
  const kink = (y: Tensor) => y.abs();
  const report = checkTruncated(model, steps, { k1: 2, k2: 4, ...only, loss: kink, params: zero });
  expect(report.ok).toBe(false);
  expect(report.modes[0]!.failures).toEqual([]);
  expect(stable(report)).toMatchInlineSnapshot(`
    "truncated, k1 2, k2 4, 11 steps: 1 of 1 modes wrong
      UNDECIDED carry      new                  sum   6 windows, 108 derivatives, worst _
        9 derivatives undecided: differences contradict each other, at a kink or where the model is ill-conditioned"
  `);
});

test("what cannot be meant throws a sentence", () => {
  const check =
    (options: object, given = steps) =>
    () =>
      checkTruncated(model, given, { k1: 1, k2: 2, loss, ...options });
  expect(check({ k1: 3 })).toThrow(/k2 must be at least k1/);
  expect(check({ steps: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: checkTruncated: steps must be a whole number of at least 1, got 0]`,
  );
  for (const tolerance of [0, -1, Number.NaN, Infinity, "1e9"]) {
    expect(check({ tolerance: tolerance as never })).toThrow(
      "checkTruncated: tolerance must be a positive finite number, got ",
    );
  }
  expect(check({ seed: 0.5 })).toThrow("checkTruncated: seed must be a whole number, got 0.5");
  expect(check({}, [])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: checkTruncated: the stream has no steps]`,
  );
  const still = defineCell({
    params: () => ({}),
    state: () => model.state,
    step: (_: object, _x: Tensor, { h }) => [h, { h }],
  })(sizes);
  expect(() =>
    checkTruncated(still, steps, { k1: 1, k2: 1, loss }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: checkTruncated: the model has no parameters, so there is nothing to check]`,
  );
  expect(check({ throws: true, windows: planted({ age: () => 0 }) })).toThrow(/modes wrong/);
});

test("nothing is left behind", () => {
  const before = steps[0]!.input.backend.memory.bytesInUse;
  scope(() => checkTruncated(model, steps, { k1: 2, k2: 3, ...only, loss }));
  checkTruncated(model, steps, { k1: 2, k2: 3, ...only, loss, windows: planted({ cut: () => 0 }) });
  expect(steps[0]!.input.backend.memory.bytesInUse).toBe(before);
});
