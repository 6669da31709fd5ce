import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { holdAll } from "@chronograd/autodiff/testing";
import { applyUpdates, rng, rngFrom } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { initialState, type TruncatedOptions, truncated, unroll } from "../../src/index.ts";
import { cellLaws, checkTruncated, type SomeCell } from "../../src/testing.ts";
import { type AnyParams, distance, modes, numbers } from "../truncated/setup.ts";
import { type Given, noiseOf, noiseRows, noisyCells, takingNoise } from "./noisy.ts";
import { bits, normal, paramsOf } from "./setup.ts";

const names = Object.keys(noisyCells);
const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();

/** The steps of a stream of 2 rows, 2 columns in and 3 out. */
const stepsOf = (T: number, seed: number) =>
  Array.from({ length: T }, (_, t) => ({
    input: normal([2, 2], seed + 2 * t),
    target: normal([2, 3], seed + 2 * t + 1),
  }));

describe.each(names)("%s", (name) => {
  const cell = noisyCells[name]!;
  const given = takingNoise(cell);

  const laws = cellLaws(cell, { input: 2, batch: 2, steps: 3 });
  test.each(laws)("in evaluation: $name", (law) => {
    holdAll(name, [law]).assert();
  });

  // The masks are whole numbers, so that no law moves them.
  const masked = cellLaws(given as never, {
    input: (random, batch): never => {
      const { rows } = noiseRows(cell, random.split("noise"), batch);
      const noise = tree.map(rows, (mask: Tensor) => mask.cast("int32"));
      return { x: normal([batch, 2], random.integer(0, 1000)), noise } as never;
    },
    batch: 2,
    steps: 3,
    // A row alone has the noise that it has in the batch, but rows of weights are those of row 0.
  }).filter(({ name: law }) => !/^row/.test(law) || rowsAreApart(cell));
  test.each(masked)("with noise: $name", (law) => {
    holdAll(name, [law]).assert();
  });

  test("a stream draws what a cell of given noise is given, in all modes, bit by bit", () => {
    fc.assert(
      fc.property(
        fc.record({
          T: fc.integer({ min: 1, max: 12 }),
          seed: fc.nat(1000),
          k1: fc.integer({ min: 1, max: 4 }),
          more: fc.nat(4),
          stale: fc.constantFrom(...modes),
          losses: fc.constantFrom("new" as const, "window" as const),
          compile: fc.boolean(),
        }),
        ({ T, seed, k1, more, ...options }) => {
          scope(() => {
            const params = paramsOf(cell, seed) as AnyParams;
            const steps = stepsOf(T, seed);
            const all = { ...options, k1, k2: k1 + more, loss };
            const found = collect(cell, params, steps, { ...all, rng: rng(seed, "noise") });
            const random = rng(seed, "noise");
            let before: unknown;
            const withNoise = steps.map(({ input, target }, t) => {
              if (t % k1 === 0) before = undefined;
              const { drawn, rows } = noiseRows(cell, random, 2, before);
              before = drawn;
              return { input: { x: input, noise: rows }, target };
            });
            const expected = collect(given as never, params, withNoise as never, all);
            if (options.compile) {
              expect(distance(found.at(-1)!, expected.at(-1)!)).toBeLessThan(1e-11);
              expect(found.length).toBe(expected.length);
            } else expect(found).toEqual(expected);
          });
        },
      ),
      { numRuns: 15 },
    );
  });

  test("with and without plans alike, bit by bit", () => {
    const params = paramsOf(cell, 3) as AnyParams;
    const steps = stepsOf(12, 4);
    for (const [k1, k2] of [
      [2, 2],
      [2, 4],
    ] as const) {
      const [plans, tape] = [true, false].map((compile) =>
        collect(cell, params, steps, { k1, k2, compile, loss, rng: rng(1) }),
      );
      for (const [j, window] of plans!.entries()) {
        // A plan takes the sums of gradients in another order.
        expect(distance(window, tape![j]!)).toBeLessThan(1e-12);
        expect([window.losses, window.state]).toEqual([tape![j]!.losses, tape![j]!.state]);
      }
    }
  });

  test("masks are those of the window, or of the step", () => {
    const random = rng(5);
    const first = noiseRows(cell, random, 2);
    const second = noiseRows(cell, random, 2, first.drawn);
    const other = noiseRows(cell, random, 2);
    for (const [path, { per }] of noiseOf(cell)) {
      const [a, b] = [first, second].map(({ drawn }) => numbers(drawn)[path]!);
      if (per === "window") expect(a).toEqual(b);
    }
    expect(numbers(first.drawn)).not.toEqual(numbers(other.drawn));
  });

  test("is resumed from parameters, state and generator, bit by bit", () => {
    const steps = stepsOf(12, 4);
    const options = { k1: 3, k2: 3, loss };
    for (const compile of [false, true]) {
      const random = rng(1, "noise");
      let params = tree.map(paramsOf(cell, 3), (x: Tensor) => x.clone()) as AnyParams;
      const whole: unknown[] = [];
      let saved: { params: AnyParams; state: never; random: string } | undefined;
      const update = (window: { gradients: unknown }) => {
        const step = tree.map(window.gradients, (g: Tensor) => g.mul(-0.1));
        params = applyUpdates(params, step as AnyParams) as AnyParams;
      };
      for (const window of truncated(cell, params, steps, { ...options, compile, rng: random })) {
        whole.push([numbers(window.gradients), [...window.losses]]);
        update(window);
        if (window.index === 1) {
          const copy = (values: unknown) => tree.map(values, (x: Tensor) => x.clone());
          const state = copy(window.state) as never;
          const text = JSON.stringify(random.getState());
          saved = { params: copy(params) as AnyParams, state, random: text };
        }
      }
      const { state, random: text } = saved!;
      params = saved!.params;
      const rest: unknown[] = [];
      const resumed = { ...options, compile, state, rng: rngFrom(JSON.parse(text)) };
      for (const window of truncated(cell, params, steps.slice(6), resumed)) {
        rest.push([numbers(window.gradients), [...window.losses]]);
        update(window);
      }
      expect(rest).toEqual(whole.slice(2));
    }
  });

  test("every window of the cell of given noise has the gradient of differences", () => {
    const random = rng(2);
    const steps = stepsOf(7, 4).map(({ input, target }) => ({
      input: { x: input, noise: noiseRows(cell, random, 2).rows },
      target,
    }));
    checkTruncated(given as never, steps as never, {
      k1: 2,
      k2: 3,
      loss,
      stale: "carry",
      losses: "new",
      reduction: "sum",
      throws: true,
    });
  });

  test("every window in evaluation too", () => {
    checkTruncated(cell, stepsOf(7, 4), { k1: 2, k2: 3, loss, stale: "carry", throws: true });
  });

  test("evaluation draws nothing, and a generator is asked for", () => {
    const params = paramsOf(cell, 3) as AnyParams;
    const inputs = normal([4, 2, 2], 1);
    const run = () => bits(unroll(cell, params, inputs, { rng: null }).outputs);
    expect(run()).toEqual(run());
    expect(() => unroll(cell, params, inputs)).toThrow(/^unroll: the model draws noise/);
    const random = rng(1);
    const noisy = bits(unroll(cell, params, inputs, { rng: random }).outputs);
    expect(noisy).not.toEqual(run());
    expect(bits(unroll(cell, params, inputs, { rng: rng(1) }).outputs)).toEqual(noisy);
    expect(bits(unroll(cell, params, inputs, { rng: random }).outputs)).not.toEqual(noisy);
  });
});

/** Whether all noise of a cell has rows. */
function rowsAreApart(cell: SomeCell): boolean {
  return [...noiseOf(cell).values()].every(({ rows }) => rows);
}

/** The numbers of every window. */
function collect(
  cell: SomeCell,
  params: AnyParams,
  steps: ReturnType<typeof stepsOf>,
  options: TruncatedOptions<Record<string, never>>,
) {
  return Array.from(truncated(cell, params, steps, options), ({ gradients, losses, state }) =>
    numbers({ gradients, losses: tensor([...losses], { dtype: "float64" }), state }),
  );
}

test("a state given to a noisy cell starts it", () => {
  const cell = noisyCells.zoneout!;
  const state = initialState(cell, 2, { dtype: "float64" });
  const found = unroll(cell, paramsOf(cell, 1) as AnyParams, normal([2, 2, 2], 1), {
    state,
    rng: null,
  });
  expect(Object.keys(found.state as object)).toEqual(["h", "c"]);
  const given: Given = { x: normal([2, 2], 1), noise: noiseRows(cell, rng(1), 2).rows };
  expect(tree.leaves(given).length).toBe(3);
});
