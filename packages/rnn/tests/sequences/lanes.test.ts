import { grad, type Tensor, tensor, where, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  elman,
  initialParams,
  type LaneSequence,
  type LaneStep,
  type LanesState,
  lanes,
  type SequenceSource,
  truncated,
  type Values,
  type Window,
} from "../../src/index.ts";
import { counting } from "./counting.ts";

const sequencesOf = (lengths: readonly number[]) => lengths.map(counting);

const list = (x: Tensor): number[] => Array.from(x.toTypedArray());

/** What the rows of a step are. */
function rowsOf({ input, target, reset, mask, sequence, position }: LaneStep) {
  const [x, y, resets, masks] = [input, target, reset, mask].map(list);
  return sequence.map((index, row) => ({
    index,
    position: position[row]!,
    reset: resets![row],
    mask: masks![row],
    input: x![row]!,
    target: y![row]!,
  }));
}

const lengthsOf = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 });
const someSteps = lengthsOf.filter((lengths) => lengths.some((length) => length > 0));
const rowsArbitrary = fc.integer({ min: 1, max: 5 });

describe("laws", () => {
  test("every step of every sequence is there once, in order, in one lane, with a reset at its start", () => {
    fc.assert(
      fc.property(someSteps, rowsArbitrary, (lengths, rows) => {
        const found = new Map<number, { row: number; positions: number[] }>();
        let begun = -1;
        for (const step of lanes(sequencesOf(lengths), { rows })) {
          const each = rowsOf(step);
          expect(each).toHaveLength(rows);
          expect([step.reset.dtype, step.mask.dtype]).toEqual(["int32", "int32"]);
          for (const [row, { index, position, reset, mask, input, target }] of each.entries()) {
            expect(mask).toBe(index === -1 ? 0 : 1);
            if (index === -1) {
              expect([position, reset]).toEqual([-1, 0]);
              continue;
            }
            expect([input, target]).toEqual([100 * index + position, -(100 * index + position)]);
            expect(reset).toBe(position === 0 ? 1 : 0);
            if (position === 0) {
              // In the order of the source.
              expect(index).toBeGreaterThan(begun);
              begun = index;
              found.set(index, { row, positions: [] });
            }
            expect(found.get(index)!.row).toBe(row);
            found.get(index)!.positions.push(position);
          }
        }
        for (const [index, length] of lengths.entries()) {
          const positions = Array.from({ length }, (_, t) => t);
          expect(found.get(index)?.positions ?? []).toEqual(positions);
        }
      }),
    );
  });

  test("no row is masked before the source has no more, and none comes back", () => {
    fc.assert(
      fc.property(someSteps, rowsArbitrary, (lengths, rows) => {
        let isOver = false;
        const all = sequencesOf(lengths);
        function* source() {
          yield* all;
          isOver = true;
        }
        let before = new Array<number>(rows).fill(1);
        for (const { mask } of lanes(source(), { rows })) {
          const now = list(mask);
          if (now.includes(0)) expect(isOver).toBe(true);
          expect(now.every((m, row) => m <= before[row]!)).toBe(true);
          expect(now).toContain(1);
          before = now;
        }
      }),
    );
  });

  test("the number of steps is that of a list scheduled greedily", () => {
    fc.assert(
      fc.property(someSteps, rowsArbitrary, (lengths, rows) => {
        // Each sequence goes to the row that is free first.
        const ends = new Array<number>(rows).fill(0);
        for (const length of lengths) ends[ends.indexOf(Math.min(...ends))]! += length;
        expect(Array.from(lanes(sequencesOf(lengths), { rows }))).toHaveLength(Math.max(...ends));
      }),
    );
  });

  test("a masked row holds what another row holds", () => {
    const steps = Array.from(lanes(sequencesOf([3, 1]), { rows: 3 }));
    expect(steps.map(({ input }) => list(input))).toEqual([
      [0, 100, 0],
      [1, 1, 1],
      [2, 2, 2],
    ]);
  });

  test("an asynchronous source gives the same", async () => {
    await fc.assert(
      fc.asyncProperty(someSteps, rowsArbitrary, async (lengths, rows) => {
        async function* source() {
          for (const [index, length] of lengths.entries()) {
            await null;
            yield counting(length, index);
          }
        }
        const expected = Array.from(lanes(sequencesOf(lengths), { rows }), rowsOf);
        const found: (typeof expected)[number][] = [];
        for await (const step of lanes(source(), { rows })) found.push(rowsOf(step));
        expect(found).toEqual(expected);
      }),
    );
  });

  test("trees of inputs and targets are stacked leaf by leaf, whatever the order of keys", () => {
    const a = { x: tensor([1, 2]), y: [tensor(Int32Array.of(3, 4))] };
    const b = { y: [tensor(Int32Array.of(7))], x: tensor([6]) };
    const steps = Array.from(
      lanes(
        [
          { inputs: a, targets: { z: a.x } },
          { inputs: b, targets: { z: b.x } },
        ],
        { rows: 2 },
      ),
    );
    expect(steps).toHaveLength(2);
    const { input, target } = steps[0]!;
    expect([list(input.x), list(input.y[0]!), list(target.z)]).toEqual([
      [1, 6],
      [3, 7],
      [1, 6],
    ]);
    expect(input.y[0]!.dtype).toBe("int32");
  });
});

describe("going on", () => {
  const stopped = fc.record({ lengths: someSteps, rows: rowsArbitrary, after: fc.nat(12) });

  type Source = SequenceSource<Iterable<LaneSequence>>;
  test.each<[string, (lengths: readonly number[]) => Source]>([
    ["the source again", sequencesOf],
    ["the source from what is needed", (lengths) => (first) => sequencesOf(lengths).slice(first)],
  ])("what follows is what would have followed, with %s", (_what, sourceOf) => {
    fc.assert(
      fc.property(stopped, ({ lengths, rows, after }) => {
        const whole = Array.from(lanes(sequencesOf(lengths), { rows }), rowsOf);
        const begun = lanes(sourceOf(lengths), { rows });
        const first = [];
        for (let t = 0; t < Math.min(after, whole.length); t++)
          first.push(rowsOf(begun.next().value!));
        const state = JSON.parse(JSON.stringify(begun.getState())) as LanesState;
        begun.return();
        const rest = lanes(sourceOf(lengths), { rows, state });
        expect(rest.getState()).toEqual(state);
        expect([...first, ...Array.from(rest, rowsOf)]).toEqual(whole);
      }),
    );
  });

  test("a function as source is asked for the first sequence that is needed", () => {
    const asked: number[] = [];
    const source = (first: number) => {
      asked.push(first);
      return sequencesOf([5, 1, 1, 1, 5]).slice(first);
    };
    const begun = lanes(source, { rows: 2 });
    for (let t = 0; t < 3; t++) begun.next();
    expect(begun.getState()).toEqual({ sequence: [0, -1], position: [3, -1], next: 4 });
    for (let t = 0; t < 2; t++) begun.next();
    const state = begun.getState();
    expect(state).toEqual({ sequence: [-1, 4], position: [-1, 2], next: 5 });
    expect(Array.from(lanes(source, { rows: 2, state }), (s) => s.sequence)).toEqual([
      [-1, 4],
      [-1, 4],
      [-1, 4],
    ]);
    expect(asked).toEqual([0, 4]);
  });
});

describe("training", () => {
  const cell = elman({ input: 1, hidden: 2 });
  const params = initialParams(cell, rng(1), { dtype: "float64" });
  const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
  const lengths = [3, 1, 5, 2, 0, 4, 1, 1, 6];
  const options = { k1: 3, k2: 3, loss };
  const numbers = (window: Window<Values<typeof cell.params>, Values<typeof cell.state>>) => ({
    losses: window.losses,
    count: window.count,
    gradients: Object.values(window.gradients).map(list),
    h: list(window.state.h),
  });

  test("the lanes' state and the model's state go on together", () => {
    const whole = Array.from(
      truncated(cell, params, lanes(sequencesOf(lengths), { rows: 2 }), options),
      numbers,
    );
    for (let after = 1; after < whole.length; after++) {
      const begun = lanes(sequencesOf(lengths), { rows: 2 });
      let kept = { h: zeros([2, 2]), lanes: begun.getState() };
      for (const window of truncated(cell, params, begun, options)) {
        kept = { h: window.state.h.clone(), lanes: begun.getState() };
        if (window.index === after - 1) break;
      }
      const rest = lanes(sequencesOf(lengths), { rows: 2, state: kept.lanes });
      const state = { h: kept.h };
      const found = Array.from(truncated(cell, params, rest, { ...options, state }), numbers);
      expect(found).toEqual(whole.slice(after));
    }
  });

  test("an asynchronous source gives the same windows", async () => {
    async function* source() {
      for (const [index, length] of lengths.entries()) {
        await null;
        yield counting(length, index);
      }
    }
    const expected = Array.from(
      truncated(cell, params, lanes(sequencesOf(lengths), { rows: 2 }), options),
      numbers,
    );
    const found: typeof expected = [];
    for await (const window of truncated(cell, params, lanes(source(), { rows: 2 }), options)) {
      found.push(numbers(window));
    }
    expect(found).toEqual(expected);
  });
});

describe("what does not fit throws a sentence", () => {
  const one = counting(2, 0);
  const run =
    (sequences: unknown, options: object = {}) =>
    () =>
      Array.from(lanes(sequences as LaneSequence[], { rows: 2, ...options }));

  test.each<[string, () => unknown]>([
    ["no options", () => lanes([one], undefined as never)],
    ["no rows", run([one], { rows: 0 })],
    ["half a row", run([one], { rows: 1.5 })],
    ["NaN rows", run([one], { rows: Number.NaN })],
    ["rows as text", run([one], { rows: "2" })],
    ["a misspelt option", run([one], { row: 2 })],
    ["no source", run(null)],
    ["one sequence for a source", run(one)],
    ["a function that gives no source", run(() => 7)],
    ["an empty source", run([])],
    ["sequences without steps alone", run([counting(0, 0), counting(0, 1)])],
    ["a sequence that is a tensor", run([one.inputs])],
    ["a sequence that is none", run([null])],
    ["a sequence without targets", run([one, { inputs: one.inputs }])],
    ["a sequence with a mask", run([{ ...one, mask: tensor(Int32Array.of(1, 1)) }])],
    ["inputs and targets of two lengths", run([one, { ...one, targets: zeros([3, 1]) }])],
    ["inputs without an axis of time", run([{ inputs: tensor(1), targets: tensor(1) }])],
    ["other columns", run([one, { ...one, inputs: zeros([2, 3], { dtype: "float64" }) }])],
    ["another dtype", run([one, { ...one, inputs: zeros([2, 1]) }])],
    ["another tree", run([one, { ...one, inputs: { a: one.inputs } }])],
    ["a state of other rows", run([one], { state: { sequence: [0], position: [1], next: 1 } })],
    ["a state that is none", run([one], { state: 3 })],
    [
      "a state with one sequence in two rows",
      run([one], { state: { sequence: [0, 0], position: [1, 1], next: 1 } }),
    ],
    [
      "a state of a longer sequence",
      run([one], { state: { sequence: [0, -1], position: [2, -1], next: 1 } }),
    ],
    [
      "a state of more sequences",
      run([one], { state: { sequence: [3, -1], position: [2, -1], next: 5 } }),
    ],
  ])("%s", (_what, act) => {
    expect(act).toThrowErrorMatchingSnapshot();
  });
});

test("derivatives flow to the sequences", () => {
  // What each row holds at each step, weighted by the step: rows that are masked hold another's.
  const gradient = grad((x: Tensor) => {
    const all = [
      { inputs: x, targets: x },
      { inputs: x.slice([[0, 1]]), targets: x.slice([[0, 1]]) },
    ];
    let sum = x.sum().mul(0);
    for (const [t, { input, mask }] of [...lanes(all, { rows: 2 })].entries()) {
      sum = sum.add(
        where(mask, input, 0)
          .sum()
          .mul(t + 1),
      );
    }
    return sum;
  });
  expect(list(gradient(tensor([5, 6, 7])))).toEqual([2, 2, 3]);
});
