import { Tape, type Tensor, tensor, tree, where } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialState, type TimeStep, type Values } from "../../src/index.ts";
import { drawParams, drawState } from "../../src/testing/draw.ts";
import { cellTable, type SomeCell } from "../../src/testing.ts";

export const rows = 3;

/** Masks and resets of some steps: rows without a step, restarted rows, and a step of no row. */
const marks: Record<number, Pick<TimeStep, "mask" | "reset">> = {
  3: { mask: tensor(Int32Array.of(1, 0, 1)) },
  4: { reset: tensor(Int32Array.of(0, 1, 0)) },
  6: { mask: tensor(Int32Array.of(0, 0, 0)) },
  7: { mask: tensor(Int32Array.of(0, 1, 1)), reset: tensor(Int32Array.of(0, 0, 1)) },
};

/** The loss of a tree of outputs, one number for each row. */
export function loss(output: unknown, target: Tensor): Tensor {
  return tree
    .leaves(output)
    .map((y: Tensor) => y.sub(target).square().reshape([y.shape[0]!, -1]).sum(-1))
    .reduce((a, b) => a.add(b));
}

/** A built-in cell with everything random, in float64, and a stream with marks. */
export function problem(name: string, T: number, seed: number, isMarked: boolean) {
  const row = cellTable().find((each) => each.name === name)!;
  const cell = row.make() as SomeCell;
  const random = rng(seed);
  const params = drawParams(cell, random.split("params")) as Values<SomeCell["params"]>;
  const state = drawState(cell, random.split("state"), rows) as Values<SomeCell["state"]>;
  const steps = Array.from({ length: T }, (_, i) => ({
    input: row.input(random.split(`input ${i}`), rows),
    target: tensor(random.normal(), { dtype: "float64" }),
    ...(isMarked ? marks[i + 1] : {}),
  }));
  return { cell, params, state, steps };
}

export type Problem = ReturnType<typeof problem>;

/** The rows of `a` where a mark is 1, of `b` elsewhere. */
function choose<T>(mark: Tensor, a: T, b: T): T {
  const along = (x: Tensor) => mark.reshape([rows, ...x.shape.slice(1).map(() => 1)]);
  return tree.zip(a, b, (x, y) => where(along(x), x, y)) as T;
}

/**
 * The stretch by nothing but the definition, on one tape: every state as an entry of its own, marks
 * by choice, and the loss of each row at each step, `[B]`, with 0 for rows without a step.
 */
export function recorded({ cell, params, state, steps }: Problem) {
  const tape = new Tape();
  const apart = <T>(values: T): T => tree.map(values, (x: Tensor) => x.clone()) as T;
  const watched = tape.watch(params) as typeof params;
  const fresh = initialState(cell, rows, { dtype: "float64" });
  const states = [apart(tape.watch(state) as typeof state)];
  const losses: Tensor[] = [];
  const outputs: unknown[] = [];
  for (const { input, target, mask, reset } of steps as TimeStep[]) {
    const present = states.at(-1)!;
    const before = reset === undefined ? present : choose(reset, fresh, present);
    const [output, next] = cell.step(watched, input, before);
    const all = loss(output, target);
    outputs.push(output);
    losses.push(mask === undefined ? all : all.mul(mask.cast("float64")));
    states.push(apart(mask === undefined ? next : choose(mask, next, before)));
  }
  return { tape, watched, states, losses, outputs };
}

/** The norms of the rows of a tree of gradients. */
export function rowNorms(gradient: unknown): number[] {
  const squares = new Array<number>(rows).fill(0);
  for (const x of tree.leaves(gradient)) {
    if (x.dtype === "int32") continue;
    const values = x.toTypedArray();
    const length = values.length / rows;
    for (const [i, value] of values.entries()) squares[Math.floor(i / length)]! += value ** 2;
  }
  return squares.map(Math.sqrt);
}

/** The rows that have a step. */
export function present({ mask }: { readonly mask?: Tensor }): number[] {
  const marks = mask?.toTypedArray() ?? new Int32Array(rows).fill(1);
  return [0, 1, 2].filter((row) => marks[row] === 1);
}

export const mean = (list: readonly number[]): number =>
  list.reduce((a, b) => a + b, 0) / list.length;
