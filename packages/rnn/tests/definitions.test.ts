import { compile, ones, type Tensor, tensor } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type CellSizes,
  defineCell,
  initialParams,
  initialState,
  irnn,
  lstm,
} from "../src/index.ts";
import { cellTable, testCell } from "../src/testing.ts";

const zeros = { params: () => ({}), state: () => ({ h: init.zeros(2) }) };
const sizes = { input: 2, hidden: 2 };
const chosen = defineCell({
  name: "chosen",
  choices: { activation: ["tanh", "relu"] },
  params: ({ input, hidden, activation }) => {
    expectTypeOf(activation).toEqualTypeOf<"tanh" | "relu">();
    return { W: init.glorot(input, hidden), [activation]: init.zeros(1) };
  },
  state: ({ hidden, activation }) => {
    expectTypeOf(hidden).toEqualTypeOf<number>();
    expectTypeOf(activation).toEqualTypeOf<"tanh" | "relu">();
    return { h: init.zeros(hidden) };
  },
  step: ({ W }, x, { h }, { activation }) => {
    expectTypeOf(activation).toEqualTypeOf<"tanh" | "relu">();
    const next = x.matmul(W).add(h)[activation]();
    return [next, { h: next }];
  },
  equations: ({ W }, x, { h }, { activation }) => {
    const sum = x.matmul(W).add(h);
    const next = activation === "tanh" ? sum.tanh() : sum.relu();
    return [next, { h: next }];
  },
});

/** What a call says when it throws, else "nothing". */
function said(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return String(error);
  }
  return "nothing";
}

/** A step of a cell from zero states, on ones. */
function stepOf(cell: ReturnType<ReturnType<typeof defineCell>>): unknown {
  const params = initialParams(cell, rng(1)) as never;
  return cell.step(params, ones([1, 2]), initialState(cell, 1) as never);
}

describe("choices", () => {
  test("the first is given to params, state, step and equations; another one where it is named", () => {
    const seen: unknown[] = [];
    const family = defineCell({
      choices: { activation: ["tanh", "relu"], bias: ["yes", "no"] },
      params: (given) => {
        seen.push(given);
        return {};
      },
      state: (given) => {
        seen.push(given);
        return { h: init.zeros(2) };
      },
      step: (_: object, x, { h }, given) => {
        seen.push({ ...given });
        return [x, { h }];
      },
      equations: (_: object, x, { h }, given) => {
        seen.push({ ...given });
        return [x, { h }];
      },
    });
    for (const [given, expected] of [
      [{}, { activation: "tanh", bias: "yes" }],
      [
        { activation: undefined, bias: "no" },
        { activation: "tanh", bias: "no" },
      ],
      [{ activation: "relu" }, { activation: "relu", bias: "yes" }],
    ] as const) {
      seen.length = 0;
      const cell = family({ ...sizes, ...given } as never);
      const state = initialState(cell, 1);
      cell.step({}, ones([1, 2]), state);
      cell.step({}, ones([1, 2]), state);
      cell.equations!({}, ones([1, 2]), state);
      expect(seen).toEqual(Array.from({ length: 5 }, () => ({ ...sizes, ...expected })));
    }
  });

  test("cellTable tests each of them", () => {
    const rows = cellTable({ chosen });
    expect(rows.map(({ name, hasKinks }) => [name, hasKinks])).toEqual([
      ["chosen", false],
      ["chosen with relu", true],
    ]);
    for (const { make, name, input } of rows) {
      expect(Object.keys(make().params)[1]).toBe(name === "chosen" ? "tanh" : "relu");
      testCell(make(), { input, runs: 1 }).assert();
    }
  });

  test("types: words are inferred, with sizes annotated or not, and wrong ones do not compile", () => {
    expectTypeOf(chosen)
      .parameter(0)
      .toEqualTypeOf<CellSizes & { readonly activation?: "tanh" | "relu" }>();
    chosen({ ...sizes, activation: "relu" });
    // @ts-expect-error: no such word.
    const wrong = () => chosen({ ...sizes, activation: "sin" });
    // @ts-expect-error: no such option.
    const misspelt = () => chosen({ ...sizes, activaton: "relu" });
    // @ts-expect-error: a size is missing.
    const missing = () => chosen({ input: 2 });
    const annotated = defineCell({
      choices: { pooling: ["sum", "mean"] },
      params: ({ units, pooling }: { units: number; pooling: "sum" | "mean" }) => ({
        b: init.zeros(pooling === "sum" ? units : 1),
      }),
      state: ({ units }) => ({ h: init.zeros(units) }),
      step: ({ b }, x: Tensor, { h }, { pooling }) => {
        expectTypeOf(pooling).toEqualTypeOf<"sum" | "mean">();
        const next = x[pooling](-1, { keepDims: true }).add(h).add(b.sum());
        return [next, { h: next }];
      },
    });
    const apart = defineCell({
      choices: { pooling: ["sum", "mean"] },
      params: ({ units }: { readonly units: number }) => ({ b: init.zeros(units) }),
      state: ({ units }) => ({ h: init.zeros(units) }),
      step: (_, x, { h }, { units, pooling }) => {
        expectTypeOf(units).toEqualTypeOf<number>();
        expectTypeOf(pooling).toEqualTypeOf<"sum" | "mean">();
        return [x, { h }];
      },
    });
    apart({ units: 2 });
    apart({ units: 2, pooling: "mean" });
    // @ts-expect-error: no such word.
    const wrongApart = () => apart({ units: 2, pooling: "max" });
    const plain = defineCell({ ...zeros, step: (_: object, x, { h }) => [x, { h }] });
    expectTypeOf(plain).parameter(0).toEqualTypeOf<CellSizes>();
    expect(annotated({ units: 3, pooling: "sum" }).params.b.shape).toEqual([3]);
    for (const call of [wrong, misspelt, missing, wrongApart]) expect(call).toThrow(TypeError);
  });
});

describe("sizes", () => {
  const scaled = defineCell({
    name: "scaled",
    choices: { activation: ["tanh", "relu"] },
    params: ({ hidden }: { input: number; hidden: number; scale: number }) => ({
      b: init.zeros(hidden),
    }),
    state: ({ hidden }) => ({ h: init.zeros(hidden) }),
    step: ({ b }, x: Tensor, { h }, { scale, activation }) => {
      const next = x
        .mul(1 / Math.sqrt(scale))
        .add(h)
        .add(b)
        [activation]();
      return [next, { h: next }];
    },
  });

  test.each<[string, object]>([
    ["a misspelt choice", { ...sizes, scale: 1, activaton: "relu" }],
    ["a word that is no choice", { ...sizes, scale: 1, mode: "fast" }],
    ["a size that is a word", { input: "2", hidden: 2, scale: 1 }],
    ["a size that is true", { input: 2, hidden: true, scale: 1 }],
    ["a size that is null", { input: 2, hidden: null, scale: 1 }],
    ["a size that is a bigint", { input: 2n, hidden: 2, scale: 1 }],
    ["a choice that is null", { ...sizes, scale: 1, activation: null }],
    ["a part of a word", { ...sizes, scale: 1, activation: "an" }],
    ["an array for the sizes", [2, 2]],
    ["no sizes", []],
  ])("refused: %s", (_, given) => {
    expect(said(() => scaled(given as never))).toMatchSnapshot();
  });

  test("words for numbers are refused by built-in cells, and by those that declare nothing", () => {
    expect(said(() => lstm({ input: "2", hidden: 3 } as never))).toMatchInlineSnapshot(
      `"RangeError: lstm: size input must be a whole number of at least 1, got "2""`,
    );
    const own = defineCell({
      params: ({ input, hidden }) => ({ W: init.glorot(input, hidden) }),
      state: ({ hidden }) => ({ h: init.zeros(hidden) }),
      step: ({ W }, x, { h }) => [x.matmul(W), { h }],
    });
    expect(said(() => own({ input: "2", hidden: 3 } as never))).toMatchInlineSnapshot(
      `"RangeError: cell: size input must be a whole number of at least 1, got "2""`,
    );
  });

  test("what a definition without choices takes may be anything but a word", () => {
    const wrapping = defineCell({
      params: ({ inner }: { inner: ReturnType<typeof lstm>; isDeep: boolean }) => inner.params,
      state: ({ inner }) => inner.state,
      step: (params, x: Tensor, state, { inner }) => inner.step(params, x, state),
    })({ inner: lstm(sizes), isDeep: true });
    testCell(wrapping, { input: 2, runs: 1 }).assert();
  });

  test("one that the step has a default for may be missing, in plans too; NaN stays NaN", () => {
    const cell = defineCell({
      ...zeros,
      step: (_: object, x: Tensor, { h }, { scale = 2 }: { scale?: number }) => [
        x.mul(scale),
        { h: h.add(x) },
      ],
    })({});
    const run = (x: Tensor) => cell.step({}, x, initialState(cell, 1))[0];
    const planned = compile(run);
    for (const value of [1, 3, Number.NaN]) {
      const x = tensor([[value, value]]);
      expect(planned(x).toArray()).toEqual([[2 * value, 2 * value]]);
      expect(run(x).toArray()).toEqual([[2 * value, 2 * value]]);
    }
    const first = defineCell({
      ...zeros,
      step: (_: object, x: Tensor, { h }, { scale = 2 }: { scale?: number }) => [
        x.mul(scale),
        { h },
      ],
    })({});
    const nan = compile((x: Tensor) => first.step({}, x, initialState(first, 1))[0]);
    expect(nan(tensor([[Number.NaN, 1]])).toArray()).toEqual([[Number.NaN, 2]]);
    expect(nan(tensor([[3, 1]])).toArray()).toEqual([[6, 2]]);
  });

  test("that are listed must be given, also those that only the step reads", () => {
    const listed = defineCell({
      ...zeros,
      name: "listed",
      sizes: ["input", "factor"],
      step: (_: object, x: Tensor, { h }, { factor }: { input: number; factor: number }) => [
        x.mul(factor),
        { h },
      ],
    });
    expect(said(() => listed({ input: 2 } as never))).toMatchInlineSnapshot(
      `"TypeError: listed: the definition needs the size factor, got input"`,
    );
    expect(said(() => listed({ input: 2, factor: undefined } as never))).toMatch(/the size factor/);
    expect(said(() => listed({} as never))).toMatchInlineSnapshot(
      `"TypeError: listed: the definition needs the sizes input and factor, got no sizes"`,
    );
    expect(said(() => listed({ input: 2, factor: 3 }))).toBe("nothing");
    expect(said(() => irnn({ input: 2, scale: 0.5 } as never))).toMatchInlineSnapshot(
      `"TypeError: irnn: the definition needs the size hidden, got input"`,
    );
  });

  test("are a frozen copy of the caller's", () => {
    const given = { ...sizes, scale: 4 };
    const cell = scaled(given);
    const before = said(() => stepOf(cell as never));
    given.scale = Number.NaN;
    const [output] = stepOf(cell as never) as [Tensor];
    expect(before).toBe("nothing");
    expect(output.toArray()).toEqual([
      [expect.closeTo(Math.tanh(0.5)), expect.closeTo(Math.tanh(0.5))],
    ]);
    const writing = defineCell({
      ...zeros,
      step: (_: object, x: Tensor, { h }, own: { scale: number }) => {
        own.scale = 3;
        return [x, { h }];
      },
    })({ scale: 1 });
    expect(() => stepOf(writing as never)).toThrow(TypeError);
  });
});

describe("numbers", () => {
  const leaky = defineCell({
    name: "leaky",
    numbers: { rate: 0.5 },
    choices: { activation: ["tanh", "relu"] },
    params: ({ input, hidden, rate }) => {
      expectTypeOf(rate).toEqualTypeOf<number>();
      return { W: init.constant(rate, input, hidden) };
    },
    state: ({ hidden }: CellSizes) => ({ h: init.zeros(hidden) }),
    step: ({ W }, x: Tensor, { h }, { rate, activation }) => {
      expectTypeOf(activation).toEqualTypeOf<"tanh" | "relu">();
      const next = h
        .mul(1 - rate)
        .add(x.matmul(W).mul(rate))
        [activation]();
      return [next, { h: next }];
    },
  });

  test("are given to params and step, as they are or as they are said to be", () => {
    expectTypeOf(leaky)
      .parameter(0)
      .toEqualTypeOf<
        CellSizes & { readonly rate?: number; readonly activation?: "tanh" | "relu" }
      >();
    for (const [rate, expected] of [
      [undefined, 0.5],
      [-0.25, -0.25],
      [0, 0],
    ] as const) {
      const cell = leaky({ input: 1, hidden: 1, activation: "relu", ...{ rate: rate as number } });
      const [y] = stepOf(leaky({ ...sizes, input: 2, ...{ rate: rate as number } }) as never) as [
        Tensor,
      ];
      expect(initialParams(cell, rng(1)).W.item()).toBe(expected);
      expect(y.slice([0, 0]).item()).toBeCloseTo(Math.tanh(2 * expected * expected), 6);
    }
    testCell(leaky({ ...sizes, rate: 0.3 }), { runs: 1 }).assert();
    expect(cellTable({ leaky })[0]!.sizes).toEqual({ input: 2, hidden: 3 });
  });

  test.each<[string, object]>([
    ["a word", { ...sizes, rate: "fast" }],
    ["null", { ...sizes, rate: null }],
    ["NaN", { ...sizes, rate: Number.NaN }],
    ["a misspelt one", { ...sizes, rates: "0.5" }],
  ])("refused: %s", (_, given) => {
    expect(said(() => leaky(given as never))).toMatchSnapshot();
  });
});

describe("a definition", () => {
  const step = (_: object, x: Tensor, { h }: { h: Tensor }) => [x, { h }] as const;
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 3],
    ["no functions", {}],
    ["no params", { state: zeros.state, step }],
    ["a state that is a tree", { ...zeros, state: { h: init.zeros(2) }, step }],
    ["no step", zeros],
    ["equations that are true", { ...zeros, step, equations: true }],
    ["a name that is a number", { ...zeros, step, name: 3 }],
    ["sizes that are a word", { ...zeros, step, sizes: "input" }],
    ["sizes of numbers", { ...zeros, step, sizes: [3] }],
    ["choices that are null", { ...zeros, step, choices: null }],
    ["choices that are a list", { ...zeros, step, choices: ["tanh"] }],
    ["no choice", { ...zeros, step, choices: { activation: [] } }],
    ["choices of numbers", { ...zeros, step, choices: { activation: [1, 2] } }],
    ["numbers that are a list", { ...zeros, step, numbers: [1] }],
    ["a number that is none", { ...zeros, step, numbers: { scale: "1" } }],
    ["a choice of null", { ...zeros, step, choices: { activation: null } }],
    ["a choice that is a word", { ...zeros, step, choices: { activation: "tanh" } }],
    ["a misspelt part of the example", { ...zeros, step, example: { size: sizes } }],
    ["an example that is a list", { ...zeros, step, example: [] }],
    ["sizes of the example that are a number", { ...zeros, step, example: { sizes: 3 } }],
    ["an input of the example that is a number", { ...zeros, step, example: { input: 3 } }],
  ])("refused: %s", (_, definition) => {
    expect(said(() => defineCell(definition as never))).toMatchSnapshot();
  });
});

describe("tests of cells", () => {
  test("refuse what is no cell, and say what it is", () => {
    expect(said(() => testCell(lstm as never))).toMatchInlineSnapshot(
      `"TypeError: cellLaws: expected a cell, { params, state, step }, got the family lstm; a family gives a cell when it is called with sizes, such as lstm({ input: 3, hidden: 5 })"`,
    );
    expect(said(() => testCell((() => 1) as never))).toMatchInlineSnapshot(
      `"TypeError: cellLaws: expected a cell, { params, state, step }, got a function; a family gives a cell when it is called with sizes, such as cell({ input: 3, hidden: 5 })"`,
    );
    expect(said(() => testCell(undefined as never))).toMatchInlineSnapshot(
      `"TypeError: cellLaws: expected a cell, { params, state, step }, got undefined"`,
    );
    expect(said(() => testCell({ params: {}, state: {} } as never))).toMatchInlineSnapshot(
      `"TypeError: cellLaws: expected a cell, { params, state, step }, got an object without step"`,
    );
  });

  test("a step that ignores its input", () => {
    const still = defineCell({
      params: () => ({ b: init.zeros(2) }),
      state: () => ({ h: init.zeros(2) }),
      step: ({ b }, _x: Tensor, { h }) => [h.add(b), { h: h.add(b) }],
    })(sizes);
    expect(said(() => testCell(still))).toMatchInlineSnapshot(
      `"TypeError: cellLaws: cannot tell what this cell takes as input, inputs of 1, 2 columns all work, and the step reads none; pass { input: 3 } for 3 columns, { input: symbols(65) } for symbols, or { input: (random, batch) => ... }"`,
    );
    testCell(still, { input: 2, runs: 1 }).assert();
  });

  test("cellTable asks for an example where sizes have other names", () => {
    const parts = {
      params: ({ inputs, units }: { inputs: number; units: number }) => ({
        W: init.glorot(inputs, units),
      }),
      state: ({ units }: { units: number }) => ({ h: init.zeros(units) }),
      step: ({ W }: { W: Tensor }, x: Tensor, { h }: { h: Tensor }) =>
        [x.matmul(W), { h }] as const,
    };
    const unnamed = defineCell(parts);
    expect(said(() => cellTable({ unnamed }))).toMatchInlineSnapshot(
      `"TypeError: cellTable: unnamed needs an example, { sizes: { ... }, input: (random, batch) => ... }, in its definition: cell: the definition needs the sizes inputs and units, got input, hidden; did "input" mean "inputs"?"`,
    );
    type Own = { inputs: number; units: number };
    const named = defineCell({
      ...parts,
      state: ({ units }: Own) => ({ h: init.zeros(units) }),
      sizes: ["inputs", "units"],
    });
    expect(said(() => cellTable({ named }))).toMatchInlineSnapshot(
      `"TypeError: cellTable: named needs an example, { sizes: { ... }, input: (random, batch) => ... }, in its definition: it has no size input"`,
    );
  });
});
