import { cast, clone, concat, type MapTree, Tape, Tensor, tree } from "@chronograd/autodiff";
import type { ValueAndPullbacks } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import { firstOfPart } from "../../sequences/rows.ts";
import { tokensOf } from "../countedLoss.ts";
import { type PreparedStep, type StepSettings, takeStep } from "../step.ts";

/** What a chunk of steps is computed from. */
export interface ChunkInputs<Params, State, X, Target> {
  readonly params: Values<Params>;
  readonly state: Values<State>;
  readonly steps: readonly PreparedStep<X, Target>[];
}

/**
 * What a chunk computes: the elements of all losses, the counts that are tensors, and the state
 * after it.
 */
export interface ChunkValue<State> {
  readonly losses: readonly Tensor[];
  readonly counts: readonly Tensor[];
  readonly state: Values<State>;
}

/** Gradients by the parameters and by the state before the chunk. */
export interface ChunkGradient<Params, State> {
  readonly params: MapTree<Values<Params>, Tensor>;
  readonly state: MapTree<Values<State>, Tensor>;
}

/** How the elements of a chunk's losses belong to its steps. */
export interface LossSizes {
  /** Elements of each step's loss; -1 where there is none. */
  readonly sizes: readonly number[];
  /** Tokens of each step; `undefined` where the count is a tensor. */
  readonly counts: readonly (number | undefined)[];
}

/** The forward run of a chunk, whose gradient is asked for later. */
export interface ChunkRun<Params, State> {
  /** Each step's loss, its elements added up in float64. */
  readonly losses: readonly number[];
  /** Tokens that each step counts. */
  readonly counts: readonly number[];
  readonly state: Values<State>;
  /** The gradient, from that of the state after the chunk and, if given, weights of its losses. */
  pullback(arriving: Values<State>, weights: Tensor | undefined): WholeGradient<Params, State>;
  end(reason: string): void;
}

/** Gradients by the parameters from each shard of the rows, and by the state before all of them. */
export interface WholeGradient<Params, State> {
  readonly params: readonly ChunkGradient<Params, State>["params"][];
  readonly state: ChunkGradient<Params, State>["state"];
}

/**
 * A chunk on a separate tape, with its two pullbacks.
 *
 * @param isShard whether the rows may be some of a batch, whose first row with a step is another
 */
export function chunkOnTape<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  settings: StepSettings<Y, Target>,
  { params, state, steps }: ChunkInputs<Params, State, X, Target>,
  start: number,
  isShard = false,
): {
  readonly computed: ValueAndPullbacks<ChunkValue<State>, ChunkGradient<Params, State>>;
  readonly sizes: LossSizes;
  readonly tape: Tape;
} {
  const tape = new Tape();
  const watched = tape.watch(params) as Values<Params>;
  const before = tape.watch(state) as Values<State>;
  let now = before;
  const losses: (Tensor | null)[] = [];
  const counts: (number | Tensor)[] = [];
  for (const [i, given] of steps.entries()) {
    const t = start + i + 1;
    const step = isShard ? withOwnFirst(given) : given;
    const { next, loss, count } = takeStep(cell, settings, tape, watched, now, step, t);
    now = next;
    losses.push(loss);
    counts.push(count);
  }
  const joined = (parts: readonly Tensor[]) =>
    parts.length === 0 ? [] : [concat(parts.map((x) => tape.strip(x).reshape([-1])))];
  // Copies, so that what a step made may lie where the plan wants it.
  const value: ChunkValue<State> = {
    losses: joined(losses.filter((loss) => loss !== null)),
    counts: joined(
      counts.filter((count) => count instanceof Tensor).map((count) => cast(count, "float64")),
    ),
    state: tree.map(now, (x: Tensor) => clone(tape.strip(x))) as Values<State>,
  };
  const pullback = (given: unknown): ChunkGradient<Params, State> => {
    const { state: arriving, weights } = given as { state: Values<State>; weights?: Tensor };
    const targets: Tensor[] = [];
    const cotangents: Tensor[] = [];
    const after = tree.leaves(now);
    for (const [i, g] of tree.leaves(arriving).entries()) {
      if (g.dtype === "int32" || !tape.tracks(after[i]!)) continue;
      targets.push(after[i]!);
      cotangents.push(g);
    }
    for (const [i, loss] of losses.entries()) {
      if (loss === null || weights === undefined) continue;
      targets.push(loss);
      cotangents.push(weights.slice([i]).broadcastTo(loss.shape));
    }
    const by = { params: watched, state: before };
    const gradients: unknown = tape.gradient(targets, by, { cotangent: cotangents });
    return gradients as ChunkGradient<Params, State>;
  };
  const sizes: LossSizes = {
    sizes: losses.map((loss) => loss?.size ?? -1),
    counts: counts.map((count) => (typeof count === "number" ? count : undefined)),
  };
  return { computed: { value, pullbacks: [pullback, pullback] }, sizes, tape };
}

/** A step of some rows, with the first of these that has a step. */
export function withOwnFirst<X, Target>(step: PreparedStep<X, Target>): PreparedStep<X, Target> {
  return step.first === undefined ? step : { ...step, first: firstOfPart(step.mask!) };
}

/** Each step's loss, and its count of tokens. */
export function numbersOf(
  where: string,
  { losses, counts }: Pick<ChunkValue<unknown>, "losses" | "counts">,
  sizes: LossSizes,
  start: number,
): Pick<ChunkRun<never, never>, "losses" | "counts"> {
  const values = losses[0]?.toTypedArray() ?? [];
  const tokens = counts[0]?.toTypedArray() ?? [];
  let [value, token] = [0, 0];
  return {
    losses: sizes.sizes.map((size) => {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += values[value++]!;
      return sum;
    }),
    counts: sizes.counts.map((count, i) =>
      tokensOf(where, count ?? tokens[token++]!, start + i + 1),
    ),
  };
}
