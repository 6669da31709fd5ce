import { grad, type Tensor, tensor, tree, where, zeros } from "@chronograd/autodiff";
import { init, type Rng, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bidirectional,
  defineLinearCell,
  elman,
  initialParams,
  initialState,
  learnedState,
  lru,
  minGru,
  unroll,
  type Values,
} from "../src/index.ts";
import { type CellRow, cellTable, type SomeCell } from "../src/testing.ts";

const rows = cellTable().filter((row) => row.make().linear !== undefined);
type Params = Values<SomeCell["params"]>;
type State = { h: Tensor };

const dtype = "float64";
const normal = (random: Rng, shape: readonly number[]): Tensor =>
  tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    { shape },
  );

/** What is run: `[T, B, I]`, marks as lists by step and row. */
interface Problem {
  readonly cell: SomeCell;
  readonly params: Params;
  readonly inputs: Tensor;
  readonly state: State;
  readonly mask: readonly number[][];
  readonly resets: readonly number[][];
  readonly reverse: boolean;
}

type Varying = Pick<Problem, "params" | "inputs" | "state">;
interface Result {
  readonly outputs: Tensor;
  readonly state: State;
}

/** Every row alone, a step at a time, by the definition of its marks. */
function byDefinition({ cell, mask, resets, reverse }: Problem) {
  return ({ params, inputs, state }: Varying): { outputs: Tensor[][]; states: Tensor[] } => {
    const [steps, batch] = inputs.shape as [number, number];
    const outputs: Tensor[][] = [];
    const states: Tensor[] = [];
    for (let row = 0; row < batch; row++) {
      let now: State = { h: state.h.slice([[row, row + 1]]) };
      outputs[row] = [];
      for (let i = 0; i < steps; i++) {
        const t = reverse ? steps - 1 - i : i;
        const isReset = reverse ? resets[t + 1]?.[row] === 1 : resets[t]![row] === 1;
        if (isReset) now = initialState(cell, 1, { dtype }) as unknown as State;
        if (mask[t]![row] === 0) continue;
        const x = inputs.slice([t, [row, row + 1]]);
        const [y, next] = cell.step(params, x, now as never);
        now = next as unknown as State;
        outputs[row]![t] = y;
      }
      states[row] = now.h;
    }
    return { outputs, states };
  };
}

function atOnce(problem: Problem) {
  const { cell, reverse } = problem;
  const marks = (of: readonly number[][]) =>
    tensor(Int32Array.from(of.flat()), { shape: [of.length, of[0]!.length] });
  const [mask, resets] = [marks(problem.mask), marks(problem.resets)];
  return ({ params, inputs, state }: Varying): Result =>
    unroll(cell, params, inputs, {
      state: state as never,
      mask,
      resets,
      reverse,
      parallel: true,
    }) as unknown as Result;
}

function drawn(row: CellRow, seed: number): Problem {
  const random = rng(seed, "linear");
  const [steps, batch] = [random.integer(1, 9), random.integer(1, 4)];
  const [input, hidden] = [random.integer(1, 4), random.integer(1, 6)];
  const cell = row.make({ input, hidden });
  const [whole, every] = [random.integer(0, 3) === 0, random.integer(0, 3) === 0];
  const marks = (chance: number) =>
    Array.from({ length: steps }, () =>
      Array.from({ length: batch }, () => (random.uniform() < chance ? 1 : 0)),
    );
  const drawnLike = (x: Tensor) => normal(random, x.shape);
  return {
    cell,
    params: tree.map(initialParams(cell, rng(seed), { dtype }), drawnLike) as Params,
    inputs: normal(random, [steps, batch, input]),
    state: tree.map(initialState(cell, batch, { dtype }), drawnLike) as unknown as State,
    mask: marks(whole ? 1 : 0.7),
    resets: marks(every ? 0 : 0.3),
    reverse: random.integer(0, 2) === 1,
  };
}

const worst = (x: Tensor, y: Tensor): number =>
  x.size === 0 ? 0 : x.sub(y).abs().max().item() / Math.max(1, y.abs().max().item());

describe.each(rows.map((row) => [row.name, row] as const))("%s at once", (_name, row) => {
  test("is each row alone, step by step: values and every gradient", () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const problem = drawn(row, seed);
        const given: Varying = problem;
        const [found, expected] = [atOnce(problem)(given), byDefinition(problem)(given)];
        const [steps, batch] = problem.inputs.shape as [number, number];
        const random = rng(seed, "weights");
        const weights = normal(random, found.outputs.shape);
        const ends = normal(random, found.state.h.shape);
        for (let r = 0; r < batch; r++) {
          expect(worst(found.state.h.slice([[r, r + 1]]), expected.states[r]!)).toBeLessThan(1e-12);
          for (let t = 0; t < steps; t++) {
            const y = found.outputs.slice([t, [r, r + 1]]);
            const alone = expected.outputs[r]![t];
            if (alone === undefined) expect(y.abs().max().item()).toBe(0);
            else expect(worst(y, alone)).toBeLessThan(1e-12);
          }
        }
        const byRow = grad((x: Varying) => {
          const { outputs, states } = byDefinition(problem)(x);
          return states
            .map((h, r) =>
              outputs[r]!.reduce(
                (sum, y, t) => sum.add(y.mul(weights.slice([t, [r, r + 1]])).sum()),
                h.mul(ends.slice([[r, r + 1]])).sum(),
              ),
            )
            .reduce((sum, each) => sum.add(each));
        })(given);
        const together = grad((x: Varying) => {
          const { outputs, state } = atOnce(problem)(x);
          return outputs.mul(weights).sum().add(state.h.mul(ends).sum());
        })(given);
        tree.zip(together as never, byRow as never, (x: Tensor, y: Tensor, path: string) => {
          expect([path, worst(x, y) < 1e-12]).toEqual([path, true]);
        });
      }),
      { numRuns: 60, seed: Number(process.env.CHRONOGRAD_SEED ?? 1) },
    );
  });

  test("never reads what stands where a row has no step, or before its reset", () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const problem = { ...drawn(row, seed), reverse: false };
        const [steps, batch, columns] = problem.inputs.shape as [number, number, number];
        // The last reset of each row; what comes before it has no weight either.
        const since = Array.from({ length: batch }, (_, r) =>
          problem.resets.reduce((last, marks, t) => (marks[r] === 1 ? t : last), 0),
        );
        const isRead = (t: number, r: number) => problem.mask[t]![r] === 1 && t >= since[r]!;
        const spoilt = problem.inputs.toTypedArray().map((x, i) => {
          const [t, r] = [Math.floor(i / (batch * columns)), Math.floor(i / columns) % batch];
          // The product of its input and a cotangent of 0 is 0.
          return isRead(t, r) ? x : problem.mask[t]![r] === 1 ? 1e30 : Number.NaN;
        });
        // What a row starts from is not read if it is reset, or has no step.
        const width = problem.state.h.shape[1]!;
        const isOpen = Array.from(
          { length: batch },
          (_, r) =>
            problem.resets.every((marks) => marks[r] === 0) &&
            problem.mask.some((marks) => marks[r] === 1),
        );
        const start = problem.state.h.toTypedArray().map((x, i) => {
          const r = Math.floor(i / width);
          const hasSteps = problem.mask.some((marks) => marks[r] === 1);
          return isOpen[r] ? x : hasSteps ? 1e30 : Number.NaN;
        });
        const bad: Varying = {
          ...problem,
          inputs: tensor(spoilt, { shape: problem.inputs.shape }),
          state: { h: tensor(start, { shape: problem.state.h.shape }) },
        };
        const flags = (of: readonly boolean[]) => tensor(Int32Array.from(of, Number));
        const shown = flags(
          Array.from({ length: steps * batch }, (_, i) => isRead(Math.floor(i / batch), i % batch)),
        ).reshape([steps, batch, 1]);
        const ends = flags(
          Array.from(
            { length: batch },
            (_, r) => isOpen[r]! || problem.resets.some((marks) => marks[r] === 1),
          ),
        ).reshape([batch, 1]);
        const loss = (x: Varying) => {
          const { outputs, state } = atOnce(problem)(x);
          return where(shown, outputs, 0)
            .sum()
            .add(where(ends, state.h, 0).sum());
        };
        const clean = grad(loss)(problem as Varying);
        const found = grad(loss)(bad);
        expect(loss(bad).item()).toBe(loss(problem).item());
        tree.zip(found as never, clean as never, (x: Tensor, y: Tensor, path: string) => {
          expect([path, x.toArray()]).toEqual([path, y.toArray()]);
        });
      }),
      { numRuns: 60, seed: Number(process.env.CHRONOGRAD_SEED ?? 1) },
    );
  });

  test("is the loop over steps, whatever the options, over several stretches", () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.boolean(), (seed, isLong) => {
        const { cell, params, inputs: few, state, resets } = drawn(row, seed);
        const random = rng(seed, "options");
        const [, batch, columns] = few.shape as [number, number, number];
        const steps = isLong ? Math.ceil(2048 / batch) + random.integer(1, 40) : few.shape[0]!;
        const inputs = isLong ? normal(random, [steps, batch, columns]) : few;
        const isReversed = random.integer(0, 2) === 1;
        const marks = Int32Array.from(
          { length: steps * batch },
          (_, i) => resets[Math.floor(i / batch) % resets.length]![i % batch]!,
        );
        const options = {
          lengths: Array.from({ length: batch }, () => random.integer(0, steps + 1)),
          resets: tensor(marks, { shape: [steps, batch] }),
          ...(isReversed ? { reverse: true } : { burnIn: random.integer(0, steps) }),
          ...(random.integer(0, 2) === 1 && { state: state as never }),
        };
        const run = (x: Omit<Varying, "state">, parallel: boolean) =>
          unroll(cell, x.params, x.inputs, { ...options, parallel }) as unknown as Result;
        const given = { params, inputs };
        const [found, expected] = [run(given, true), run(given, false)];
        expect(found.outputs.shape).toEqual(expected.outputs.shape);
        expect(worst(found.outputs, expected.outputs)).toBeLessThan(1e-12);
        expect(worst(found.state.h, expected.state.h)).toBeLessThan(1e-12);
        const weights = normal(random, found.outputs.shape);
        const [together, stepwise] = [true, false].map((parallel) =>
          grad((x: Omit<Varying, "state">) => {
            const { outputs, state: last } = run(x, parallel);
            return outputs.mul(weights).sum().add(last.h.sum());
          })(given),
        );
        tree.zip(together as never, stepwise as never, (x: Tensor, y: Tensor, path: string) => {
          expect([path, worst(x, y) < 1e-12]).toEqual([path, true]);
        });
      }),
      { numRuns: 30, seed: Number(process.env.CHRONOGRAD_SEED ?? 1) },
    );
  });

  test("stays finite over ten thousand steps, in float32 too", () => {
    for (const kind of ["float32", "float64"] as const) {
      const cell = row.make();
      const params = initialParams(cell, rng(1), { dtype: kind }) as Params;
      const inputs = normal(rng(2), [10_000, 1, row.sizes.input as number]).cast(kind);
      const loss = (p: Params) =>
        (unroll(cell, p, inputs, { parallel: true }).outputs as Tensor).square().mean();
      const gradient = grad(loss)(params);
      expect(Number.isFinite(loss(params).item())).toBe(true);
      for (const x of tree.leaves(gradient)) expect(x.isFinite().all().item()).toBe(1);
    }
  });
});

/** Leaky sums that start from a learned state, and read a context. */
const learned = defineLinearCell({
  name: "learned",
  params: ({ input, hidden }) => ({
    W: init.glorot(input, hidden),
    rate: init.uniform(1, hidden),
    first: init.uniform(1, hidden),
  }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  initial: ({ first }, batch) => ({ h: first.broadcastTo([batch, first.size]) }),
  transition: ({ W, rate }, { x, context }: { x: Tensor; context: Tensor }) => ({
    a: rate.sigmoid(),
    b: x.matmul(W).add(context),
  }),
  output: (_params, h, { x }) => ({ h, sum: x.sum(-1) }),
});

test("a learned start is where rows begin, and begin afresh, and a context is read by all steps", () => {
  const cell = learned({ input: 2, hidden: 3 });
  const params = initialParams(cell, rng(1), { dtype });
  const inputs = normal(rng(2), [6, 2, 2]);
  const context = normal(rng(3), [2, 3]);
  const resets = tensor(Int32Array.of(0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1), { shape: [6, 2] });
  const run = (parallel: boolean, burnIn: number) =>
    grad((x: { params: typeof params; context: Tensor }) => {
      const options = { resets, burnIn, parallel, context: x.context };
      const { outputs, state } = unroll(cell, x.params, inputs, options);
      return outputs.h.square().sum().add(outputs.sum.sum()).add(state.h.sum());
    })({ params, context });
  for (const burnIn of [0, 2]) {
    tree.zip(run(true, burnIn), run(false, burnIn), (x: Tensor, y: Tensor, path: string) => {
      expect([path, worst(x, y) < 1e-12]).toEqual([path, true]);
    });
  }
  expect(run(true, 0).params.first.abs().min().item()).toBeGreaterThan(0);
});

test("models around a cell take its sequence at once too", () => {
  const small = { input: 2, hidden: 3 };
  const lengths = [5, 0, 3];
  const inputs = normal(rng(2), [5, 3, 2]);
  for (const model of [learnedState(lru(small)), bidirectional(minGru(small))]) {
    const params = initialParams(model as unknown as SomeCell, rng(1), { dtype });
    const run = (parallel: boolean) =>
      grad((p: typeof params) => {
        const found = unroll(model as unknown as SomeCell, p, inputs, { lengths, parallel });
        return (found.outputs as Tensor).square().sum();
      })(params);
    tree.zip(run(true) as never, run(false) as never, (x: Tensor, y: Tensor, path: string) => {
      expect([path, worst(x, y) < 1e-12]).toEqual([path, true]);
    });
  }
});

test("refusals are sentences", () => {
  const cell = elman({ input: 2, hidden: 3 });
  const x = zeros([4, 1, 2]);
  const small = { input: 2, hidden: 3 };
  const definition = {
    params: () => ({}),
    state: () => ({ h: init.zeros(1) }),
    transition: (_: object, b: Tensor) => ({ a: b, b }),
  };
  const errors = [
    () => unroll(cell, initialParams(cell, rng(1)), x, { parallel: true }),
    () =>
      unroll(minGru(small), initialParams(minGru(small), rng(1)), zeros([0, 1, 2]), {
        parallel: true,
      }),
    () =>
      unroll(minGru(small), initialParams(minGru(small), rng(1)), x, {
        parallel: true,
        state: { h: zeros([2, 3]) },
      }),
    () => defineLinearCell({ ...definition, step: () => 1 } as never),
    () => defineLinearCell({ ...definition, transition: undefined } as never),
    () => defineLinearCell({ ...definition, state: () => ({ c: init.zeros(1) }) } as never)(small),
    () => lru({ ...small, minRadius: 1 }),
    () => lru({ ...small, maxPhase: -1 }),
  ];
  const said = errors.map((call) => {
    try {
      call();
    } catch (error) {
      return String(error);
    }
    return "nothing";
  });
  expect(said).toMatchInlineSnapshot(`
    [
      "TypeError: unroll: parallel takes a cell that is linear in its state, such as minGru, minLstm, lru or one of defineLinearCell, and this one is not; leave out the option",
      "RangeError: unroll: expected at least one time step, got none",
      "RangeError: unroll: the input [1,2] has 1 row, and the state "h" [2,3] has 2; where all rows share it, say so with broadcastTo([2,2])",
      "TypeError: defineLinearCell: there is no option "step". It takes name, sizes, numbers, params, state, initial, complex, transition, output, example",
      "TypeError: defineLinearCell: transition must be a function (params, x) => ({ a, b }), got undefined",
      "TypeError: defineLinearCell: the state must be { h }, one initialiser, got an object; join what it is made of along the last axis",
      "RangeError: lru: expected 0 <= minRadius < maxRadius <= 1 and maxPhase above 0, got 1, 1 and 6.283185307179586",
      "RangeError: lru: expected 0 <= minRadius < maxRadius <= 1 and maxPhase above 0, got 0, 1 and -1",
    ]
  `);
});
