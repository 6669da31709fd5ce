import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { expect } from "vitest";
import { type StreamOptions, type TimeStep, truncated, type Window } from "../../src/index.ts";
import { drawn, drawParams, drawState, type PlainCell } from "../../src/testing/draw.ts";
import { cellTable } from "../../src/testing.ts";

export const rows = 2;

/** What a step of a test has. */
export type Step = TimeStep<unknown, Tensor>;

/** A cell as it is trained: parameters, a state and steps, random in every element. */
export interface Problem {
  readonly cell: PlainCell;
  readonly params: unknown;
  readonly state: unknown;
  readonly stream: readonly Step[];
}

/** The loss of a test: smooth, and different in every element. */
export const loss = (y: unknown, target: Tensor): Tensor => tree.leaves(y)[0]!.mul(target).sin();

const bits = (...values: number[]): Tensor => tensor(Int32Array.from(values));

/** The second row has no step at 2 and 4; the first begins afresh at 3, the second at 4. */
export const marked: Readonly<Record<number, Partial<Step>>> = {
  2: { mask: bits(1, 0) },
  3: { reset: bits(1, 0) },
  4: { mask: bits(1, 0), reset: bits(0, 1) },
};

export function problemOf(
  cell: PlainCell,
  input: (t: number) => unknown,
  { steps = 6, marks = {} }: { steps?: number; marks?: typeof marked } = {},
): Problem {
  const random = rng(9);
  return {
    cell,
    params: drawParams(cell, rng(1)),
    state: cell.initial === undefined ? drawState(cell, rng(2), rows) : undefined,
    stream: Array.from({ length: steps }, (_, i): Step => {
      const t = i + 1;
      return { input: input(t), target: drawn([], () => random.normal()), ...marks[t] };
    }),
  };
}

/** A problem for each built-in cell. */
export function builtIn(marks: typeof marked = {}): [name: string, Problem][] {
  return cellTable().map((row) => {
    const random = rng(4, row.name);
    const input = () => row.input(random, rows);
    return [row.name, problemOf(row.make() as PlainCell, input, { marks })];
  });
}

type Windows = Iterable<Pick<Window<unknown, unknown>, "gradients">>;
type Options = Pick<StreamOptions<never, unknown, Tensor>, "loss" | "state">;

/** Windows of a problem, by a function with the arguments of `truncated`. */
export function windowsOf<Own>(
  make: (cell: never, params: never, stream: never, options: never) => unknown,
  { cell, params, state, stream }: Problem,
  own: Own,
): Windows {
  const options = { loss, ...(state !== undefined && { state }), ...own } as unknown as Options;
  return make(cell as never, params as never, stream as never, options as never) as Windows;
}

/** The gradients of all windows, added up, by path. */
export function sumOfWindows(windows: Windows): Map<string, Float64Array> {
  const sums = new Map<string, Float64Array>();
  for (const { gradients } of windows) {
    for (const [path, g] of tree.leavesWithPath(gradients)) {
      const sum = sums.get(path) ?? new Float64Array(g.size);
      const values = g.toTypedArray();
      sums.set(
        path,
        sum.map((value, i) => value + values[i]!),
      );
    }
  }
  return sums;
}

/** The gradient of full back-propagation through time. */
export function fullGradient(problem: Problem): Map<string, Float64Array> {
  return sumOfWindows(windowsOf(truncated, problem, { k1: Infinity, k2: Infinity }));
}

/** The largest distance of two gradients, beside the largest element of the second. */
export function distanceOf(
  a: ReadonlyMap<string, Float64Array>,
  b: ReadonlyMap<string, Float64Array>,
): number {
  expect([...a.keys()]).toEqual([...b.keys()]);
  const scale = Math.max(1e-3, ...[...b.values()].flatMap((x) => Array.from(x, Math.abs)));
  const apart = [...b].flatMap(([path, y]) =>
    Array.from(y, (v, i) => Math.abs(v - a.get(path)![i]!)),
  );
  return Math.max(...apart) / scale;
}
