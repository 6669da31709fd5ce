import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import type { AnyTransition, Model } from "./model.ts";
import { oneRow, treeRows } from "./rows.ts";
import { unitCotangents } from "./transition.ts";

/** Trials that must find nothing new, one after the other, before the search ends. */
const quietTrials = 12;

/** How many components of the state are looked at at a time, for memory. */
const unitsAtOnce = 16;

/** Which components of the state a step lets depend on which others. */
export interface Sparsity {
  /** H x P, row-major: 1 where a parameter moves a component of the state in one step. */
  readonly immediate: Uint8Array;
  /** H x H, row-major: 1 where a component of the state before moves one after. */
  readonly transition: Uint8Array;
}

/**
 * What depends on what in one step of a model, found by trial: the derivatives of one row at random
 * parameters, states and inputs, which are 0 by chance with probability 0, but for ops that are
 * flat in places. Inputs of whole numbers stay; where a table has rows that they do not choose,
 * these are taken for what the others are.
 */
export function sparsityOf(model: Model): Sparsity {
  const { size: H, parameters: P, rows } = model;
  model.allow(H * (P + H), "a mark for each pair of a parameter and a component of the state");
  const immediate = new Uint8Array(H * P);
  const transition = new Uint8Array(H * H);
  // A masked step leaves the state as it is.
  for (let i = 0; i < H; i++) transition[i * (H + 1)] = 1;
  const random = rng(0, "sparsity");
  for (let trial = 0, quiet = 0; quiet < quietTrials; trial++, quiet++) {
    const isNew = scope(() => {
      const drawn = drawnTransition(model, trial % rows, trial % 2 === 1, () => random.normal());
      const units = unitCotangents(drawn.before);
      let isNew = mark(transition, drawn.jacobian(), 0);
      for (let i = 0; i < H; i += unitsAtOnce) {
        const some = units.slice([[i, Math.min(H, i + unitsAtOnce)]]);
        if (
          mark(
            immediate,
            scope(() => drawn.pullParams(some)),
            i * P,
          )
        )
          isNew = true;
      }
      return isNew;
    });
    if (isNew) quiet = -1;
  }
  fillTables(immediate, model);
  return { immediate, transition };
}

/** A step of one row at random values. */
function drawnTransition(
  { params, state, step, initial, transition }: Model,
  row: number,
  isReset: boolean,
  next: () => number,
): AnyTransition {
  const drawn = (x: Tensor, spread: number): Tensor => {
    if (x.dtype === "int32") return x;
    const values = Float64Array.from({ length: x.size }, () => spread * next());
    return tensor(values, { shape: x.shape, dtype: x.dtype, backend: x.backend });
  };
  const like = <T>(values: T): T => {
    return tree.map(treeRows(values, oneRow(row)), (x: Tensor) => drawn(x, 1)) as T;
  };
  const weights = tree.map(params, (x: Tensor) => {
    const columns = x.shape.at(-1) ?? 1;
    return drawn(x, 1 / Math.sqrt(Math.max(1, x.size / columns)));
  });
  const { backend } = tree.leaves(params)[0]!;
  // Where the initial state is learned, its parameters move the state at a reset.
  const reset = isReset && initial ? { reset: tensor(Int32Array.of(1), { backend }) } : {};
  return transition(weights as never, { input: like(step.input), ...reset }, like(state));
}

/** Marks what is not 0, from a place on; tells whether there is any that was not marked before. */
function mark(marks: Uint8Array, values: Tensor, from: number): boolean {
  let isNew = false;
  values.toTypedArray().forEach((value, i) => {
    if (value === 0 || marks[from + i] === 1) return;
    marks[from + i] = 1;
    isNew = true;
  });
  return isNew;
}

/**
 * Parameters that moved nothing, in a tensor whose other rows did: as those at the same place of
 * other rows. Rows of an embedding table are such, where no input chose them.
 */
function fillTables(immediate: Uint8Array, { params, size: H, parameters: P }: Model): void {
  let from = 0;
  for (const x of tree.leaves(params)) {
    if (x.dtype === "int32") continue;
    const columns = x.rank < 2 ? 0 : x.size / x.shape[0]!;
    const isIdle = (p: number): boolean => {
      for (let i = 0; i < H; i++) if (immediate[i * P + p] === 1) return false;
      return true;
    };
    for (let column = 0; column < columns; column++) {
      const places = Array.from({ length: x.shape[0]! }, (_, row) => from + row * columns + column);
      const idle = places.filter(isIdle);
      if (idle.length === 0 || idle.length === places.length) continue;
      for (let i = 0; i < H; i++) {
        if (!places.some((p) => immediate[i * P + p] === 1)) continue;
        for (const p of idle) immediate[i * P + p] = 1;
      }
    }
    from += x.size;
  }
}

/**
 * The components of the state in groups, so that no parameter moves two of one group: one pullback
 * gives the derivatives of a whole group (Curtis, Powell & Reid 1974).
 *
 * @returns the group of each, from 0
 */
export function groupsOf({ immediate }: Sparsity, H: number): { of: Int32Array; count: number } {
  const P = immediate.length / H;
  const of = new Int32Array(H);
  const taken: Uint8Array[] = [];
  for (let i = 0; i < H; i++) {
    const own = immediate.subarray(i * P, (i + 1) * P);
    let group = taken.findIndex((each) => own.every((value, p) => value === 0 || each[p] === 0));
    if (group === -1) group = taken.push(new Uint8Array(P)) - 1;
    const all = taken[group]!;
    own.forEach((value, p) => {
      if (value === 1) all[p] = 1;
    });
    of[i] = group;
  }
  return { of, count: taken.length };
}
