import { ones, type Tensor, tensor } from "@chronograd/autodiff";
import { init, linear, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { Transition } from "../../src/derivatives/transition.ts";
import { deadUnits, effectiveMemory, gateSaturation, visitedStates } from "../../src/flow.ts";
import {
  type Cell,
  defineCell,
  elman,
  gru,
  initialParams,
  lstm,
  mgu,
  sequential,
  stacked,
  type Values,
} from "../../src/index.ts";
import { cellTable } from "../../src/testing.ts";
import { mean, present, problem, rows } from "./setup.ts";

const float64 = { dtype: "float64" } as const;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** A stretch without marks. */
const unmarked = (name: string) => problem(name, 6, 1, false);

/** One unit whose gate is the sigmoid of its input. */
const gated = defineCell({
  params: () => ({ w: init.ones() }),
  state: () => ({ h: init.zeros(1) }),
  step: ({ w }, x: Tensor, { h }) => {
    const f = x.mul(w).sigmoid();
    const next = f.mul(h).add(f.neg().add(1));
    return [next, { h: next }];
  },
})({ input: 1, hidden: 1 });
const one = { w: tensor([1], float64) };
const column = (...values: number[]) =>
  tensor(values, { ...float64, shape: [values.length, 1, 1] });

describe("gate saturation", () => {
  test("of an LSTM: the gates are those of its equations", () => {
    const { cell, params, state, steps } = unmarked("lstm");
    const { W, U, b } = params as unknown as Record<string, Tensor>;
    const found = gateSaturation(cell, params, steps, { state });
    expect(found.gates.map(({ name, op }) => `${name} ${op}`)).toEqual([
      "i sigmoid",
      "f sigmoid",
      "g tanh",
      "o sigmoid",
    ]);
    expect(found.gates[1]!.params).toEqual(["U", "W", "b"]);
    const forget: number[][] = [];
    let now: Values<typeof cell.state> = state;
    for (const { input } of steps) {
      const { h } = now as unknown as { h: Tensor };
      const f = input.matmul(W!).add(h.matmul(U!)).add(b!).split(4, -1)[1]!.sigmoid();
      forget.push(...(f.toArray() as number[][]));
      [, now] = cell.step(params, input, now);
    }
    const gate = found.gates[1]!;
    expect(gate.mean).toBeCloseTo(mean(forget.flat()), 12);
    expect(gate.low).toBeCloseTo(mean(forget.flat().map((f) => Number(f <= 0.1))), 12);
    expect(gate.high).toBeCloseTo(mean(forget.flat().map((f) => Number(f >= 0.9))), 12);
    for (const [unit, value] of gate.units.mean.entries()) {
      expect(value).toBeCloseTo(mean(forget.map((row) => row[unit]!)), 12);
    }
  });

  test("bounds, with the tolerance, and rows without a step left out", () => {
    const inputs = column(-3, -2, 2, 3, 0);
    const lengths = [4];
    const [gate] = gateSaturation(gated, one, { inputs, lengths }, { tolerance: 0.1 }).gates;
    // sigmoid(2) = 0.88 and sigmoid(3) = 0.95
    const { name, op, params, low, high, mean: level, units } = gate!;
    expect([name, op, params, low, high]).toEqual(["sigmoid", "sigmoid", ["w"], 0.25, 0.25]);
    expect(level).toBeCloseTo(mean([-3, -2, 2, 3].map(sigmoid)), 12);
    expect(units).toEqual({ mean: [level], low: [low], high: [high] });
    const [strict] = gateSaturation(gated, one, { inputs, lengths }, { tolerance: 0 }).gates;
    expect([strict!.low, strict!.high]).toEqual([0, 0]);
  });

  test("names say the layer, and which of several", () => {
    const model = sequential({
      layers: stacked([gru({ input: 2, hidden: 3 }), mgu({ input: 3, hidden: 2 })]),
      relu: elman({ input: 2, hidden: 2, activation: "relu" }),
      head: linear({ input: 2, output: 1 }),
    });
    const params = initialParams(model, rng(1));
    const { gates } = gateSaturation(model, params, { inputs: ones([4, 2, 2]) });
    expect(gates.map(({ name }) => name)).toMatchInlineSnapshot(`
      [
        "layers.layer 0.r",
        "layers.layer 0.z",
        "layers.layer 0.n",
        "layers.layer 1.sigmoid",
        "layers.layer 1.tanh",
        "relu.relu",
      ]
    `);
    expect(gates.at(-1)!.params).toMatchInlineSnapshot(`
      [
        "relu.U",
        "relu.W",
        "relu.b",
      ]
    `);
    expect(gates.at(-1)!.high).toBe(0);
  });

  test("a cell of another fused op is read from its equations", () => {
    const cell: Cell<(typeof gated)["params"], { h: (typeof gated)["state"]["h"] }> = {
      params: gated.params,
      state: gated.state,
      step: (_params, x, { h }) => [h.add(x), { h: h.add(x) }],
      equations: (_params, x, { h }) => {
        const next = h.add(x.tanh());
        return [next, { h: next }];
      },
    };
    const { gates } = gateSaturation(cell, one, { inputs: column(1, 2) });
    expect(gates.map(({ name }) => name)).toEqual(["tanh"]);
  });

  test("every built-in cell has gates, or none to be saturated", () => {
    for (const { name } of cellTable()) {
      const { cell, params, state, steps } = problem(name, 7, 1, true);
      const { gates } = gateSaturation(cell, params, steps, { state });
      expect(name === "lru" || gates.length > 0, name).toBe(true);
      for (const { low, high, mean } of gates) {
        expect(low + high).toBeLessThanOrEqual(1);
        expect(Number.isFinite(mean)).toBe(true);
      }
    }
  });
});

describe("effective memory", () => {
  test("of the memory of an LSTM it is the forget gate", () => {
    const { cell, params, state, steps } = problem("lstm", 6, 1, false);
    const { leaves } = effectiveMemory(cell, params, steps, { state });
    expect(effectiveMemory(cell, params, steps, { state, leaves: ["c"] }).leaves).toEqual(
      leaves.filter(({ path }) => path === "c"),
    );
    const { gates } = gateSaturation(cell, params, steps, { state });
    const c = leaves.find(({ path }) => path === "c")!;
    expect(c.isElementwise).toBe(true);
    const { units } = gates.find(({ name }) => name === "f")!;
    for (const [unit, factor] of c.factor.entries()) {
      // The geometric mean is below the arithmetic one, and near it.
      expect(factor).toBeLessThanOrEqual(units.mean[unit]!);
      expect(c.timescale[unit]).toBeCloseTo(-1 / Math.log(factor), 12);
    }
  });

  test("of a gate that is the sigmoid of the input: in closed form, without marked rows", () => {
    const values = [-3, -2, 2, 3];
    const logs = values.map((x) => Math.log(sigmoid(x)));
    const inputs = column(...values, 0);
    const { leaves } = effectiveMemory(gated, one, { inputs, lengths: [4] });
    expect(leaves[0]!.factor[0]).toBeCloseTo(Math.exp(mean(logs)), 12);
    const resets = tensor([0, 1, 0, 0, 0], { dtype: "int32", shape: [5, 1] });
    const others = [logs[0]!, logs[2]!, logs[3]!, Math.log(0.5)];
    const found = effectiveMemory(gated, one, { inputs, resets });
    expect(found.leaves[0]!.factor[0]).toBeCloseTo(Math.exp(mean(others)), 12);
  });

  test("of every built-in cell it is the diagonal of the Jacobian", () => {
    for (const { name } of cellTable()) {
      const { cell, params, state, steps } = problem(name, 2, 1, false);
      const [first] = steps as [(typeof steps)[number]];
      const { leaves } = effectiveMemory(cell, params, [first], { state });
      const jacobian = new Transition(cell, params, { input: first.input }, state).jacobian();
      const H = jacobian.shape[1]!;
      const elements = jacobian.toTypedArray();
      let at = 0;
      for (const { factor } of leaves) {
        for (const value of factor) {
          const logs = [0, 1, 2].map((b) => Math.log(Math.abs(elements[(b * H + at) * H + at]!)));
          const expected = Math.exp(mean(logs));
          expect(Math.abs(value - expected), name).toBeLessThan(1e-10 * (1 + expected));
          at++;
        }
      }
      expect(at).toBe(H);
    }
  });

  test("nothing forgotten has no timescale, everything forgotten has 0", () => {
    const cell = defineCell({
      params: () => ({ w: init.ones() }),
      state: () => ({ keep: init.zeros(1), lose: init.zeros(1) }),
      step: (_params, x: Tensor, { keep, lose }) => [
        keep.add(lose),
        { keep: keep.add(x), lose: x.add(lose.mul(0)) },
      ],
    })({ input: 1, hidden: 1 });
    const { leaves } = effectiveMemory(cell, one, { inputs: column(1, 2, 3) });
    expect(leaves.map(({ timescale }) => timescale)).toEqual([[null], [0]]);
  });
});

describe("dead units", () => {
  test("are constant or on one side over all steps that rows have", () => {
    const cell = defineCell({
      params: () => ({ w: init.ones() }),
      state: () => ({ h: init.zeros(4) }),
      step: (_params, x: Tensor, { h }) => [x, { h: h.mul(0).add(x) }],
    })({ input: 4, hidden: 4 });
    const inputs = tensor([[[1, 0, -1, 5]], [[1, 2, 3, 5.5]], [[9, -9, 9, -9]]], float64);
    const of = (tolerance: number) => deadUnits(cell, one, { inputs, lengths: [2] }, { tolerance });
    expect(of(0).leaves).toEqual([
      { of: "state", path: "h", units: 4, constant: [0], oneSided: [1, 3] },
      { of: "output", path: "", units: 4, constant: [0], oneSided: [1, 3] },
    ]);
    expect(of(0.5).leaves[0]!.constant).toEqual([0, 3]);
  });
  test("of every built-in cell: plain data", () => {
    for (const { name } of cellTable()) {
      const { cell, params, state, steps } = problem(name, 7, 1, true);
      const found = deadUnits(cell, params, steps, { state });
      expect(JSON.parse(JSON.stringify(found))).toEqual(found);
      expect(found.rows).toBe(rows);
      expect(present(steps[5]!)).toEqual([]);
    }
  });
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
  const nan = { inputs: column(1, Number.NaN) };
  const inputs = column(1, 2);
  const resets = ones([2, 1]).cast("int32");
  expect([
    said(() => gateSaturation(gated, one, nan)),
    said(() => gateSaturation(gated, one, { inputs }, { tolerance: 0.5 })),
    said(() => gateSaturation(gated, one, { inputs }, { tolerence: 0.1 } as never)),
    said(() => effectiveMemory(gated, one, nan)),
    said(() => effectiveMemory(gated, one, { inputs, lengths: [0] })),
    said(() => effectiveMemory(gated, one, { inputs, resets })),
    said(() => effectiveMemory(gated, one, { inputs }, { leaves: ["c"] })),
    said(() => deadUnits(gated, one, nan)),
    said(() => deadUnits(gated, one, { inputs }, { tolerance: -1 })),
    said(() => deadUnits(lstm as never, one as never, { inputs })),
    said(() => deadUnits(gated, one, { inputs, lengths: [0] })),
    said(() => gateSaturation(gated, one, { inputs, lengths: [0] })),
    said(() => visitedStates(gated, one, { inputs, lengths: [0] })),
  ]).toMatchInlineSnapshot(`
    [
      "gateSaturation: the gate "sigmoid" of step 2 is NaN; look at the parameters, and at the input of that step",
      "gateSaturation: tolerance must be a number from 0 to below 0.5, a share of the range of a gate, got 0.5",
      "gateSaturation: there is no option "tolerence", did you mean "tolerance"? It takes tolerance, state, rng",
      "effectiveMemory: the derivative of unit 0 of the state "h" at step 2 by itself is NaN; look at the parameters, and at the input of that step",
      "effectiveMemory: no row has a step that is not reset, so nothing is remembered; give a stretch with such steps",
      "effectiveMemory: no row has a step that is not reset, so nothing is remembered; give a stretch with such steps",
      "effectiveMemory: leaves must be a list of paths of the state, among ["h"], got ["c"]",
      "deadUnits: the state "h" of step 2 is NaN in unit 0; look at the parameters, and at the input of that step",
      "deadUnits: tolerance must be a number of at least 0, got -1",
      "deadUnits: expected a cell, { params, state, step }, got the family lstm; a family gives a cell when it is called with sizes, such as lstm({ input: 3, hidden: 5 })",
      "deadUnits: no row has a step, each is masked, so there is nothing to look at; give a stretch with such steps",
      "gateSaturation: no row has a step, each is masked, so there is nothing to look at; give a stretch with such steps",
      "visitedStates: no row has a step, each is masked, so there is nothing to look at; give a stretch with such steps",
    ]
  `);
});
