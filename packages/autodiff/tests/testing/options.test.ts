import { expect, test } from "vitest";
import { Tape, type Tensor, tanh, tensor } from "../../src/index.ts";
import {
  checkGradients,
  checkTape,
  findNonFinite,
  functionLaws,
  hold,
  holdAll,
  opLaws,
  testOp,
} from "../../src/testing.ts";

test("unknown options are refused, with the nearest right name", () => {
  const x = tensor([0.3], { dtype: "float64" });
  const f = (z: Tensor) => z.tanh();
  const draw = () => x;
  const wrong = (options: object) => options as never;
  const law = opLaws(tanh)[0]!;
  const said = [
    () => checkGradients(f, x, wrong({ tol: 1e-3 })),
    () => testOp(tanh, wrong({ run: 1 })),
    () => opLaws(tanh, wrong({ type: "float32" })),
    () => functionLaws(f, draw, wrong({ orders: 1 })),
    () => hold(law, wrong({ seeds: 1 })),
    () => holdAll("tanh", [law], wrong({ run: 1 })),
    () => findNonFinite(f, x, wrong({ onlyNan: true })),
    () => checkTape(new Tape(), wrong({ tolerances: 1 })),
    () => checkGradients(f, x, wrong({ order: 3 })),
  ].map((call) => {
    try {
      call();
      return "nothing was thrown";
    } catch (error) {
      return (error as Error).message;
    }
  });
  expect(said).toMatchInlineSnapshot(`
    [
      "checkGradients: there is no option "tol", did you mean "tolerance"? It takes tolerance, step, seed, mode, directions, order, throws, blame",
      "testOp: there is no option "run", did you mean "runs"? It takes backend, reference, dtype, seed, runs",
      "opLaws: there is no option "type", did you mean "dtype"? It takes backend, reference, dtype",
      "functionLaws: there is no option "orders", did you mean "order"? It takes dtype, order",
      "hold: there is no option "seeds", did you mean "seed"? It takes seed, runs",
      "holdAll: there is no option "run", did you mean "runs"? It takes seed, runs",
      "findNonFinite: there is no option "onlyNan", did you mean "onlyNaN"? It takes onlyNaN",
      "checkTape: there is no option "tolerances", did you mean "tolerance"? It takes tolerance, seed, order",
      "checkGradients: order must be 1 or 2, got 3",
    ]
  `);
});

test("settings with which a check would show nothing are refused", () => {
  const x = tensor([0.3, 0.7], { dtype: "float64" });
  // Wrong on purpose: one factor is off the tape.
  const wrong = (z: Tensor) => z.mul(z.detach());
  const law = opLaws(tanh)[0]!;
  const calls: Record<string, (options: never) => unknown> = {
    checkGradients: (options) => checkGradients(wrong, x, options),
    testOp: (options) => testOp(tanh, options),
    hold: (options) => hold(law, options),
    holdAll: (options) => holdAll("tanh", [law], options),
    functionLaws: (options) => functionLaws(wrong, () => x, options),
    opLaws: (options) => opLaws(tanh, options),
    checkTape: (options) => checkTape(new Tape(), options),
  };
  const values: Record<string, readonly unknown[]> = {
    runs: [0, -1, 1.5, Number.NaN, Infinity, "x", null],
    directions: [0, -3, Number.NaN, "abc"],
    seed: [0.5, Number.NaN, "1"],
    tolerance: [0, -1, Number.NaN, Infinity, "1e9"],
    step: [0, -1, 1e6, 0.2, Number.NaN, "0.01"],
    mode: ["ful", null],
    order: [0, 3, "2"],
    dtype: ["float16"],
  };
  const takes: Record<string, readonly string[]> = {
    checkGradients: ["directions", "seed", "tolerance", "step", "mode", "order"],
    testOp: ["runs", "seed", "dtype"],
    hold: ["runs", "seed"],
    holdAll: ["runs", "seed"],
    functionLaws: ["order", "dtype"],
    opLaws: ["dtype"],
    checkTape: ["tolerance", "seed", "order"],
  };
  for (const [where, names] of Object.entries(takes)) {
    for (const name of names) {
      for (const value of values[name]!) {
        const call = () => calls[where]!({ [name]: value } as never);
        expect(call, `${where} ${name} ${String(value)}`).toThrow(`${where}: ${name} must be `);
      }
    }
  }
  const report = checkGradients(wrong, x, { mode: "directions", directions: 1, step: 0.1 });
  expect(report.ok).toBe(false);
  const said = Object.entries(values).map(([name, [value]]) => {
    const where = Object.keys(takes).find((each) => takes[each]!.includes(name))!;
    try {
      calls[where]!({ [name]: value } as never);
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing was thrown";
  });
  expect(said).toMatchInlineSnapshot(`
    [
      "testOp: runs must be a whole number of at least 1, got 0",
      "checkGradients: directions must be a whole number of at least 1, got 0",
      "checkGradients: seed must be a whole number, got 0.5",
      "checkGradients: tolerance must be a positive finite number, got 0",
      "checkGradients: step must be a number above 0 and at most 0.1, relative to |x|, got 0",
      "checkGradients: mode must be "full" or "directions", got "ful"",
      "checkGradients: order must be 1 or 2, got 0",
      "testOp: dtype must be "float64" or "float32", got "float16"",
    ]
  `);
});
