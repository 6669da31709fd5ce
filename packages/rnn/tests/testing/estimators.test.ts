import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { artbp, rtrl, uoro } from "../../src/estimators.ts";
import { gru, lstm, type TimeStep, truncated } from "../../src/index.ts";
import { drawParams } from "../../src/testing/draw.ts";
import { compareEstimates } from "../../src/testing/estimators/compare.ts";
import { studentQuantile } from "../../src/testing/estimators/interval.ts";
import { type CheckEstimatorOptions, checkEstimator } from "../../src/testing.ts";

const cell = gru({ input: 2, hidden: 2 });
type Options = CheckEstimatorOptions<typeof cell.params, typeof cell.state>;
type Windows = Options["windows"];

const bits = (...values: number[]) => tensor(Int32Array.from(values));
const random = rng(5, "steps");
const row = () => [random.normal(), random.normal()];
const steps: TimeStep[] = Array.from({ length: 6 }, () => ({
  input: tensor([row(), row()]),
  target: tensor([row(), row()]),
}));
const marked = steps.map((step, t) => ({
  ...step,
  ...(t === 2 && { mask: bits(1, 0) }),
  ...(t === 3 && { reset: bits(0, 1) }),
}));
const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
const check = (windows: Windows, options: Partial<Options> = {}, stream = steps) =>
  checkEstimator(cell, stream, { claim: "exact", loss, windows, ...options });

/** A report without the last digits of its numbers. */
const stable = (report: unknown) =>
  String(report).replace(/-?\d+\.\d{4,}(?:e[+-]?\d+)?/g, (x) => Number(x).toPrecision(3));

const full: Windows = (model, params, stream, options) =>
  truncated(model, params, stream, { ...options, k1: 2, k2: Infinity });
const random2: Windows = (model, params, stream, options, draws) =>
  artbp(model, params, stream, { ...options, draws, steps: 3 });

describe("right estimators are found right", () => {
  test("exact ones, with marks and a given state", () => {
    const state = { h: tensor([row(), row()]) };
    const forwards: Windows = (model, params, stream, options) =>
      rtrl(model, params, stream, { ...options, k1: 4 });
    for (const windows of [full, forwards]) {
      for (const stream of [steps, marked]) {
        check(windows, { throws: true }, stream);
        check(windows, { throws: true, state }, stream);
      }
    }
    expect(
      String(check(full, { name: "k2 = Infinity" })).replaceAll(/\d\.\de-\d+/g, "N"),
    ).toMatchInlineSnapshot(`
      "k2 = Infinity, exact, 6 steps: all 4 parameters right
        ok     W  12 derivatives, worst N of 1e-10, 1.000 of the gradient
        ok     U  12 derivatives, worst N of 1e-10, 1.000 of the gradient
        ok     b  6 derivatives, worst N of 1e-10, 1.000 of the gradient
        ok     bn  2 derivatives, worst N of 1e-10, 1.000 of the gradient"
    `);
  });

  test("unbiased ones, with marks", () => {
    const signs: Windows = (model, params, stream, options, draws) =>
      uoro(model, params, stream, { ...options, draws, k1: 2 });
    for (const windows of [random2, signs]) {
      const report = check(windows, { claim: "unbiased", runs: 40 }, marked);
      report.assert();
      expect(report.runs).toBe(40);
      expect(report.parameters.map(({ path }) => path)).toEqual(["W", "U", "b", "bn"]);
    }
  });

  test("models of several cells, and whole sequences", () => {
    const inputs = tensor(steps.flatMap(({ input }) => input.toArray() as number[][]).flat(), {
      shape: [6, 2, 2],
    });
    const memory = lstm({ input: 2, hidden: 2 });
    checkEstimator(
      memory,
      { inputs, targets: inputs, lengths: [6, 3] },
      {
        claim: "exact",
        loss: (y, target) => y.sub(target).square().sum(-1),
        windows: (model, params, stream, options) =>
          truncated(model, params, stream, { ...options, k1: 3, k2: 6, compile: true }),
        throws: true,
      },
    );
  });
});

/** The windows of full back-propagation, changed. */
const changed = (
  change: (window: ReturnType<typeof windowOf>, index: number) => object | undefined,
): Windows =>
  function* (model, params, stream, options) {
    for (const window of truncated(model, params, stream, { ...options, k1: 2, k2: Infinity })) {
      const { gradients, losses, end, state } = window;
      const next = change({ gradients, losses, end, state }, window.index);
      if (next !== undefined) yield { gradients, losses, end, state, ...next };
    }
  };
const windowOf = (window: {
  gradients: object;
  losses: readonly number[];
  end: number;
  state: object;
}) => window;
const scaled = <T>(values: T, by: number): T => tree.map(values, (x: Tensor) => x.mul(by)) as T;

describe("wrong estimators are found wrong", () => {
  test("a truncation that claims to be exact", () => {
    const report = check((model, params, stream, options) =>
      truncated(model, params, stream, { ...options, k1: 2, k2: 2 }),
    );
    expect(report.ok).toBe(false);
    expect(report.failures).toEqual([]);
    expect(report.parameters.every(({ failures }) => failures.length > 0)).toBe(true);
    expect(() => report.assert()).toThrow(/^estimator, exact, 6 steps: 4 of 4 parameters wrong/);
  });

  test("random cuts that nothing makes up for", () => {
    const report = check(
      (model, params, stream, options, draws) => {
        const k1 = draws.integer(1, 7);
        return truncated(model, params, stream, { ...options, k1, k2: k1 });
      },
      { claim: "unbiased", name: "random cuts", runs: 60 },
    );
    expect(report.ok).toBe(false);
    expect(stable(report)).toMatchInlineSnapshot(`
      "random cuts, unbiased, 6 steps, 60 runs, false alarms 0.001: 4 of 4 parameters wrong
        WRONG  W  12 derivatives, worst 6.3 of 4.5 standard errors, 0.886 of the gradient
          params.W along its gradient: the mean is 0.886, expected 1: 6.3 standard errors apart, and chance allows 4.5
          d/d params.W[0,1]: the mean is -0.177, expected -0.212: 4.8 standard errors apart, and chance allows 4.5
          d/d params.W[0,5]: the mean is -2.51, expected -3.11: 5.0 standard errors apart, and chance allows 4.5
          d/d params.W[1,1]: the mean is 0.124, expected 0.149: 5.3 standard errors apart, and chance allows 4.5
          and 2 more
        WRONG  U  12 derivatives, worst 7.3 of 4.5 standard errors, 0.890 of the gradient
          d/d params.U[0,1]: the mean is -0.0514, expected -0.0574: 6.4 standard errors apart, and chance allows 4.5
          d/d params.U[0,5]: the mean is -0.168, expected -0.201: 6.3 standard errors apart, and chance allows 4.5
          d/d params.U[1,1]: the mean is 0.163, expected 0.173: 6.7 standard errors apart, and chance allows 4.5
          d/d params.U[1,5]: the mean is 0.536, expected 0.571: 7.3 standard errors apart, and chance allows 4.5
        WRONG  b  6 derivatives, worst 6.7 of 4.5 standard errors, 0.832 of the gradient
          params.b along its gradient: the mean is 0.832, expected 1: 6.7 standard errors apart, and chance allows 4.5
          d/d params.b[1]: the mean is -0.297, expected -0.343: 6.5 standard errors apart, and chance allows 4.5
          d/d params.b[2]: the mean is 0.285, expected 0.404: 4.7 standard errors apart, and chance allows 4.5
          d/d params.b[5]: the mean is -3.31, expected -4.06: 6.2 standard errors apart, and chance allows 4.5
        WRONG  bn  2 derivatives, worst 6.0 of 4.5 standard errors, 0.825 of the gradient
          params.bn along its gradient: the mean is 0.825, expected 1: 5.3 standard errors apart, and chance allows 4.5
          d/d params.bn[1]: the mean is -0.866, expected -1.17: 6.0 standard errors apart, and chance allows 4.5"
    `);
    const [first] = report.parameters.flatMap(({ failures }) => failures);
    expect(first).toMatch(/along its gradient: the mean is .* standard errors apart/);
  });

  test("a gradient that is too large by a third, among noise", () => {
    const windows: Windows = function* (...given) {
      for (const { gradients, losses } of random2(...given)) {
        yield { gradients: scaled(gradients, 1.3), losses: losses! };
      }
    };
    const report = check(windows, { claim: "unbiased", runs: 200, steps: 4 });
    expect(report.ok).toBe(false);
  });

  test.each([
    [
      "losses of the last window",
      changed((w, i) => (i === 2 ? undefined : w)),
      /tell 4 losses, and there are 6 steps/,
    ],
    [
      "a loss of another step",
      changed(({ losses }) => ({ losses: [...losses].reverse() })),
      /the loss of step 1 is .*, step by step it is/,
    ],
    [
      "a state that is another",
      changed(({ state }) => ({ state: scaled(state, 1.001) })),
      /the state "h" after window 0, at step 2, holds/,
    ],
    [
      "an end behind the stream",
      changed(({ end }, i) => ({ end: i === 2 ? end + 1 : end })),
      /window 2 ends at step 7/,
    ],
    [
      "a gradient of another parameter",
      changed(() => ({ gradients: {} })),
      /window 0 must have 12 derivatives by W, got none/,
    ],
    ["no window", changed(() => undefined), /there is no window/],
    [
      "an error",
      () => {
        throw new Error("it is torn");
      },
      /it threw: it is torn/,
    ],
  ] as [string, Windows, RegExp][])("%s", (_name, windows, expected) => {
    const report = check(windows);
    expect(report.ok).toBe(false);
    expect(String(report)).toMatch(expected);
    expect(() => check(windows, { throws: true })).toThrow(expected);
  });

  test("an estimator without windows", () => {
    const report = check(() => []);
    expect(report.ok).toBe(false);
    expect(String(report)).toMatchInlineSnapshot(`
      "estimator, exact, 6 steps: wrong, and its gradients were not compared
        WRONG  there is no window"
    `);
  });

  test("a NaN", () => {
    const report = check(
      changed(({ gradients }) => ({ gradients: scaled(gradients, Number.NaN) })),
    );
    expect(report.ok).toBe(false);
    expect(report.parameters[0]!.worst).toBe(Infinity);
  });
});

test("quantiles are those of Student's distribution (mpmath, 30 digits)", () => {
  for (const [rate, freedom, expected] of [
    [2e-5, 199, 4.36992595247],
    [1e-3, 49, 3.50044289137],
    [1e-6, 199, 5.04909459523],
    [0.05, 29, 2.04522964213],
    [5e-8, 399, 5.55799416566],
  ] as const) {
    expect(Math.abs(studentQuantile(rate, freedom) / expected - 1)).toBeLessThan(2e-4);
  }
});

test("right estimators are found wrong as seldom as promised, also where draws are skewed", () => {
  const truth = new Map([["w", Float64Array.of(1, -2, 0, 3)]]);
  const params = { w: tensor([1, 1, 1, 1]) };
  const draws = rng(3);
  /** With mean 1: exponential. */
  const skewed = () => -Math.log(1 - draws.uniform());
  const bounds = { claim: "unbiased", tolerance: 1e-10, falseAlarms: 0.1 } as const;
  const alarms = Array.from({ length: 200 }, () => {
    const estimates = Array.from({ length: 100 }, () => {
      return new Map([["w", truth.get("w")!.map((x) => x * skewed() + draws.normal())]]);
    });
    const [result] = compareEstimates(params, truth, estimates, bounds);
    return Number(result!.failures.length > 0);
  }).reduce((a, b) => a + b);
  // At most 0.1 of 200, with a standard deviation of 4.2; Bonferroni's bound is nearly reached.
  expect(alarms).toBeLessThan(20 + 3 * 4.2);
  expect(alarms).toBeGreaterThan(5);
});

describe("what does not fit is refused in a sentence", () => {
  test("options", () => {
    const start = (options: object) => () => check(full, options as Partial<Options>);
    expect(start({ claim: "right" })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: checkEstimator: claim must be "exact" or "unbiased", got "right"]`,
    );
    expect(start({ windows: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: checkEstimator: windows must be a function, got 3]`,
    );
    expect(start({ runs: 10 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: checkEstimator: runs must be a whole number of at least 30, got 10; the mean of fewer runs is too far from normal]`,
    );
    expect(start({ falseAlarms: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: checkEstimator: falseAlarms must be a probability above 0, of at most 0.1, got 0]`,
    );
    expect(start({ steps: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: checkEstimator: steps must be a whole number of at least 1, got 0]`,
    );
    expect(start({ false: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: checkEstimator: there is no option "false", did you mean "falseAlarms"? It takes windows, claim, loss, state, name, params, steps, tolerance, runs, falseAlarms, seed, throws]`,
    );
  });
  test("a parameter that is missing, a step and an initial state that fail", () => {
    const { W } = drawParams(cell as never, rng(1)) as { W: Tensor };
    expect(() => check(full, { params: { W } as never })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: checkEstimator: params must have the tensors of the cell's params, and "U" is missing, got W; leave them out, and they are drawn]`,
    );
    const wide = steps.map((step) => ({ ...step, input: tensor([[1, 2, 3]]) }));
    expect(() => check(full, {}, wide)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: checkEstimator: step 1: matmul: inner dimensions must agree, got [1,3] and [2,6]; transpose one operand?]`,
    );
    const torn = () => {
      throw new Error("torn");
    };
    for (const part of [{ step: torn }, { initial: torn }]) {
      const broken = { ...cell, ...part } as typeof cell;
      expect(() => checkEstimator(broken, steps, { claim: "exact", loss, windows: full })).toThrow(
        /^checkEstimator: step 1: .*torn/,
      );
    }
  });
  test("no options, no stream", () => {
    expect(() => checkEstimator(cell, steps, undefined as never)).toThrow(
      /^checkEstimator: claim must be/,
    );
    expect(() => check(full, {}, null as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: checkEstimator: the stream must be an iterable of { input, target }, or { inputs, targets }, got null]`,
    );
  });
  test("no steps, and no losses", () => {
    expect(() => check(full, {}, [])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: checkEstimator: the stream has no steps]`,
    );
    expect(() => check(full, { loss: () => null })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: checkEstimator: the gradient of full back-propagation over these steps is zero, so nothing can be compared with it; are the losses null at all steps?]`,
    );
  });
});
